; Whether an output may take over the memory of an argument.

; How many bytes the elements of an argument take.
define internal i64 @extent(ptr %row, ptr %leaf) {
  %bytes.at = getelementptr %Input, ptr %row, i64 0, i32 5
  %bytes = load i64, ptr %bytes.at
  %rank.at = getelementptr %Input, ptr %row, i64 0, i32 3
  %rank = load i64, ptr %rank.at
  %given.at = getelementptr %Array, ptr %leaf, i64 0, i32 3
  br label %axis
axis:
  %a = phi i64 [ 0, %0 ], [ %a.next, %multiply ]
  %product = phi i64 [ %bytes, %0 ], [ %product.next, %multiply ]
  %more = icmp ult i64 %a, %rank
  br i1 %more, label %multiply, label %done
multiply:
  %given = load ptr, ptr %given.at
  %extent.at = getelementptr i64, ptr %given, i64 %a
  %extent = load i64, ptr %extent.at
  %product.next = mul i64 %product, %extent
  %a.next = add i64 %a, 1
  br label %axis
done:
  ret i64 %product
}

; Whether two ranges of bytes have one in common.
define internal i1 @overlap(ptr %x, i64 %x.bytes, ptr %y, i64 %y.bytes) {
  %x.end = getelementptr i8, ptr %x, i64 %x.bytes
  %y.end = getelementptr i8, ptr %y, i64 %y.bytes
  %before = icmp ult ptr %x, %y.end
  %after = icmp ult ptr %y, %x.end
  %common = and i1 %before, %after
  ret i1 %common
}

; Whether the memory of input k can become an output's: the array owns it, it may be written, and no
; other argument or constant lies there.
define internal i1 @yields(ptr %record, ptr %args, ptr %buffers, i64 %k) {
  %inputs.at = getelementptr %Record, ptr %record, i64 0, i32 4
  %inputs = load i64, ptr %inputs.at
  %outputs.at = getelementptr %Record, ptr %record, i64 0, i32 5
  %outputs = load i64, ptr %outputs.at
  %count.at = getelementptr %Record, ptr %record, i64 0, i32 6
  %count = load i64, ptr %count.at
  %rows = getelementptr %Record, ptr %record, i64 1
  %behind = getelementptr %Input, ptr %rows, i64 %inputs
  %constants = getelementptr %Output, ptr %behind, i64 %outputs
  %leaf.at = getelementptr ptr, ptr %args, i64 %k
  %leaf = load ptr, ptr %leaf.at
  %flags.at = getelementptr %Array, ptr %leaf, i64 0, i32 7
  %flags = load i32, ptr %flags.at
  %own = and i32 %flags, 1028                      ; writeable, owner of its memory
  %owns = icmp eq i32 %own, 1028
  %base.at = getelementptr %Array, ptr %leaf, i64 0, i32 5
  %base = load ptr, ptr %base.at
  %original = icmp eq ptr %base, null
  %data.at = getelementptr ptr, ptr %buffers, i64 %k
  %data = load ptr, ptr %data.at
  %row = getelementptr %Input, ptr %rows, i64 %k
  %bytes = call i64 @extent(ptr %row, ptr %leaf)
  %may = and i1 %owns, %original
  br i1 %may, label %input, label %no
input:
  %m = phi i64 [ 0, %0 ], [ %m.next, %apart ]
  %more = icmp ult i64 %m, %inputs
  br i1 %more, label %other, label %constant
other:
  %itself = icmp eq i64 %m, %k
  br i1 %itself, label %apart, label %compare
compare:
  %other.at = getelementptr ptr, ptr %args, i64 %m
  %other.leaf = load ptr, ptr %other.at
  %other.data.at = getelementptr ptr, ptr %buffers, i64 %m
  %other.data = load ptr, ptr %other.data.at
  %other.row = getelementptr %Input, ptr %rows, i64 %m
  %other.bytes = call i64 @extent(ptr %other.row, ptr %other.leaf)
  %shared = call i1 @overlap(ptr %data, i64 %bytes, ptr %other.data, i64 %other.bytes)
  br i1 %shared, label %no, label %apart
apart:
  %m.next = add i64 %m, 1
  br label %input
constant:
  %c = phi i64 [ 0, %input ], [ %c.next, %distinct ]
  %left = icmp ult i64 %c, %count
  br i1 %left, label %against, label %yes
against:
  %fixed.at = getelementptr %Constant, ptr %constants, i64 %c
  %fixed = load ptr, ptr %fixed.at
  %fixed.bytes.at = getelementptr %Constant, ptr %constants, i64 %c, i32 1
  %fixed.bytes = load i64, ptr %fixed.bytes.at
  %needed = call i1 @overlap(ptr %data, i64 %bytes, ptr %fixed, i64 %fixed.bytes)
  br i1 %needed, label %no, label %distinct
distinct:
  %c.next = add i64 %c, 1
  br label %constant
yes:
  ret i1 true
no:
  ret i1 false
}
