; Working memory that does not fit on the stack.

; At least so many bytes, or null. One block is kept with the record between calls; whoever comes
; first has it, and others make their own.
define internal ptr @take(ptr %record, i64 %bytes, ptr %api) {
  %kept.at = getelementptr %Record, ptr %record, i64 0, i32 3
  %kept = atomicrmw xchg ptr %kept.at, ptr null acq_rel
  %none = icmp eq ptr %kept, null
  br i1 %none, label %make, label %measure
measure:
  %held.at = getelementptr %Block, ptr %kept, i64 -1, i32 1
  %held = load i64, ptr %held.at
  %enough = icmp uge i64 %held, %bytes
  br i1 %enough, label %use, label %free
use:
  ret ptr %kept
free:
  call void @dispose(ptr %kept, ptr %api)
  br label %make
make:
  %malloc.at = getelementptr %Api, ptr %api, i64 0, i32 11
  %malloc = load ptr, ptr %malloc.at
  %with.block = add i64 %bytes, 128
  %raw = call ptr %malloc(i64 %with.block)
  %failed = icmp eq ptr %raw, null
  br i1 %failed, label %absent, label %align
align:
  %address = ptrtoint ptr %raw to i64
  %above = add i64 %address, 127
  %start = and i64 %above, -64
  %memory = inttoptr i64 %start to ptr
  %raw.at = getelementptr %Block, ptr %memory, i64 -1, i32 0
  store ptr %raw, ptr %raw.at
  %bytes.at = getelementptr %Block, ptr %memory, i64 -1, i32 1
  store i64 %bytes, ptr %bytes.at
  ret ptr %memory
absent:
  ret ptr null
}

define internal void @give(ptr %record, ptr %memory, ptr %api) {
  %held.at = getelementptr %Block, ptr %memory, i64 -1, i32 1
  %held = load i64, ptr %held.at
  %most.at = getelementptr %Record, ptr %record, i64 0, i32 10
  %most = load i64, ptr %most.at
  %large = icmp ugt i64 %held, %most
  br i1 %large, label %free, label %keep
free:
  call void @dispose(ptr %memory, ptr %api)
  ret void
keep:
  %kept.at = getelementptr %Record, ptr %record, i64 0, i32 3
  %before = atomicrmw xchg ptr %kept.at, ptr %memory acq_rel
  %none = icmp eq ptr %before, null
  br i1 %none, label %done, label %replaced
replaced:
  call void @dispose(ptr %before, ptr %api)
  ret void
done:
  ret void
}

define internal void @dispose(ptr %memory, ptr %api) {
  %raw.at = getelementptr %Block, ptr %memory, i64 -1, i32 0
  %raw = load ptr, ptr %raw.at
  %free.at = getelementptr %Api, ptr %api, i64 0, i32 12
  %free = load ptr, ptr %free.at
  call void %free(ptr %raw)
  ret void
}

; Give back what a record keeps, when its callable has gone.
define void @close(ptr %record) {
  %kept.at = getelementptr %Record, ptr %record, i64 0, i32 3
  %kept = atomicrmw xchg ptr %kept.at, ptr null acq_rel
  %none = icmp eq ptr %kept, null
  br i1 %none, label %done, label %free
free:
  %api.at = getelementptr %Record, ptr %record, i64 0, i32 2
  %api = load ptr, ptr %api.at
  call void @dispose(ptr %kept, ptr %api)
  br label %done
done:
  ret void
}
