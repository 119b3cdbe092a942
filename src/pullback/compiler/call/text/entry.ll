; The callable itself, of CPython's convention METH_FASTCALL | METH_KEYWORDS.

; Call the native function, without the lock where it takes long.
define internal i32 @run(ptr %record, ptr %instance, ptr %buffers, ptr %scratch) {
  %native = load ptr, ptr %record
  %context.at = getelementptr %Record, ptr %record, i64 0, i32 1
  %context = load ptr, ptr %context.at
  %place.at = getelementptr %Instance, ptr %instance, i64 0, i32 2
  %place = load i64, ptr %place.at
  %no.holes = icmp eq i64 %place, 0
  %first = getelementptr i64, ptr %instance, i64 %place
  %holes = select i1 %no.holes, ptr null, ptr %first
  %long.at = getelementptr %Instance, ptr %instance, i64 0, i32 1
  %long = load i64, ptr %long.at
  %is.long = icmp ne i64 %long, 0
  br i1 %is.long, label %apart, label %together
together:
  %status = call i32 %native(ptr %buffers, ptr %holes, ptr %scratch, ptr %context)
  ret i32 %status
apart:
  %api.at = getelementptr %Record, ptr %record, i64 0, i32 2
  %api = load ptr, ptr %api.at
  %save.at = getelementptr %Api, ptr %api, i64 0, i32 9
  %save = load ptr, ptr %save.at
  %restore.at = getelementptr %Api, ptr %api, i64 0, i32 10
  %restore = load ptr, ptr %restore.at
  %thread = call ptr %save()
  %status.apart = call i32 %native(ptr %buffers, ptr %holes, ptr %scratch, ptr %context)
  call void %restore(ptr %thread)
  ret i32 %status.apart
}

define ptr @entry(ptr %self, ptr %args, i64 %count, ptr %names) {
  %items = getelementptr %Tuple, ptr %self, i64 0, i32 1
  %numbers = load ptr, ptr %items
  %record.at = getelementptr %Array, ptr %numbers, i64 0, i32 1
  %record = load ptr, ptr %record.at
  %api.at = getelementptr %Record, ptr %record, i64 0, i32 2
  %api = load ptr, ptr %api.at
  %inputs.at = getelementptr %Record, ptr %record, i64 0, i32 4
  %inputs = load i64, ptr %inputs.at
  %plain = icmp eq ptr %names, null
  %complete = icmp eq i64 %count, %inputs
  %expected = and i1 %plain, %complete
  br i1 %expected, label %begin, label %slow

begin:
  %outputs.at = getelementptr %Record, ptr %record, i64 0, i32 5
  %outputs = load i64, ptr %outputs.at
  %constants.at = getelementptr %Record, ptr %record, i64 0, i32 6
  %constants = load i64, ptr %constants.at
  %both = add i64 %inputs, %outputs
  %all = add i64 %both, %constants
  %buffers = alloca ptr, i64 %all
  %slots = alloca i64, i64 %inputs
  %readable = call i1 @read(ptr %record, ptr %args, ptr %buffers, ptr %slots)
  br i1 %readable, label %match, label %slow

match:
  %shapes.at = alloca ptr
  %instances.at = getelementptr ptr, ptr %items, i64 1
  %instances = load ptr, ptr %instances.at
  %holder = call ptr @choose(ptr %record, ptr %instances, ptr %args, ptr %shapes.at)
  %unknown = icmp eq ptr %holder, null
  br i1 %unknown, label %slow, label %known

known:
  ; The instance is held while it is used, as another may take its place.
  %incref = load ptr, ptr %api
  call void %incref(ptr %holder)
  %instance.at = getelementptr %Array, ptr %holder, i64 0, i32 1
  %instance = load ptr, ptr %instance.at
  %shapes = load ptr, ptr %shapes.at
  %results = alloca ptr, i64 %outputs
  %values = alloca [16 x i8], i64 %outputs, align 16
  %provided = call i1 @provide(ptr %record, ptr %args, ptr %shapes, ptr %buffers, ptr %results,
                               ptr %values)
  br i1 %provided, label %working, label %without

working:
  call void @append(ptr %record, ptr %buffers)
  %bytes = load i64, ptr %instance
  %little.at = getelementptr %Record, ptr %record, i64 0, i32 9
  %little = load i64, ptr %little.at
  %is.none = icmp eq i64 %bytes, 0
  br i1 %is.none, label %run, label %some
some:
  %is.little = icmp ule i64 %bytes, %little
  br i1 %is.little, label %on.stack, label %on.heap
on.stack:
  %stack = alloca i8, i64 %bytes, align 64
  br label %run
on.heap:
  %heap = call ptr @take(ptr %record, i64 %bytes, ptr %api)
  %no.heap = icmp eq ptr %heap, null
  br i1 %no.heap, label %drop, label %run

run:
  %scratch = phi ptr [ null, %working ], [ %stack, %on.stack ], [ %heap, %on.heap ]
  %taken = phi ptr [ null, %working ], [ null, %on.stack ], [ %heap, %on.heap ]
  %status = call i32 @run(ptr %record, ptr %instance, ptr %buffers, ptr %scratch)
  %has.taken = icmp ne ptr %taken, null
  br i1 %has.taken, label %return.heap, label %ran
return.heap:
  call void @give(ptr %record, ptr %taken, ptr %api)
  br label %ran
ran:
  %decref.at = getelementptr %Api, ptr %api, i64 0, i32 1
  %decref = load ptr, ptr %decref.at
  call void %decref(ptr %holder)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %finish, label %failed
finish:
  %result = call ptr @finish(ptr %record, ptr %results, ptr %values)
  ret ptr %result
failed:
  call void @drop(ptr %results, i64 %outputs, ptr %api)
  %raise.at = getelementptr ptr, ptr %items, i64 3
  %raise = load ptr, ptr %raise.at
  %nothing = call ptr @fail(ptr %record, ptr %raise, i32 %status, ptr %args, i64 %count)
  ret ptr %nothing

; No memory for outputs or scratch: the slow path has the words for it.
drop:
  call void @drop(ptr %results, i64 %outputs, ptr %api)
  br label %without
without:
  %clear.at = getelementptr %Api, ptr %api, i64 0, i32 3
  %clear = load ptr, ptr %clear.at
  call void %clear()
  %release.at = getelementptr %Api, ptr %api, i64 0, i32 1
  %release = load ptr, ptr %release.at
  call void %release(ptr %holder)
  br label %slow

slow:
  %call.at = getelementptr %Api, ptr %api, i64 0, i32 2
  %call = load ptr, ptr %call.at
  %slow.at = getelementptr ptr, ptr %items, i64 2
  %slow.path = load ptr, ptr %slow.at
  %answer = call ptr %call(ptr %slow.path, ptr %args, i64 %count, ptr %names)
  ret ptr %answer
}
