; Reading arguments.

; The elements of an argument, or null if it is not what the row says. A number that does not lie in
; memory as native code reads it is written to the slot.
define internal ptr @elements(ptr %row, ptr %leaf, ptr %slot, ptr %api) {
  %type.at = getelementptr %Object, ptr %leaf, i64 0, i32 1
  %type = load ptr, ptr %type.at
  %wanted = load ptr, ptr %row
  %right = icmp eq ptr %type, %wanted
  br i1 %right, label %typed, label %other
typed:
  %how.at = getelementptr %Input, ptr %row, i64 0, i32 4
  %how = load i64, ptr %how.at
  switch i64 %how, label %array [ i64 1, label %value
                                  i64 2, label %integer
                                  i64 3, label %boolean ]
value:
  %inside = getelementptr %Value, ptr %leaf, i64 0, i32 1
  ret ptr %inside
integer:
  %overflow = alloca i32
  %convert.at = getelementptr %Api, ptr %api, i64 0, i32 8
  %convert = load ptr, ptr %convert.at
  %number = call i64 %convert(ptr %leaf, ptr %overflow)
  store i64 %number, ptr %slot
  %beyond = load i32, ptr %overflow
  %small = icmp eq i32 %beyond, 0
  br i1 %small, label %stored, label %other
boolean:
  %true.at = getelementptr %Api, ptr %api, i64 0, i32 16
  %true = load ptr, ptr %true.at
  %is = icmp eq ptr %leaf, %true
  %byte = zext i1 %is to i8
  store i8 %byte, ptr %slot
  br label %stored
stored:
  ret ptr %slot
array:
  ; Contiguous and aligned, in NumPy's flags.
  %flags.at = getelementptr %Array, ptr %leaf, i64 0, i32 7
  %flags = load i32, ptr %flags.at
  %both = and i32 %flags, 257
  %straight = icmp eq i32 %both, 257
  %rank.at = getelementptr %Array, ptr %leaf, i64 0, i32 2
  %rank = load i32, ptr %rank.at
  %rank.wide = sext i32 %rank to i64
  %rank.wanted.at = getelementptr %Input, ptr %row, i64 0, i32 3
  %rank.wanted = load i64, ptr %rank.wanted.at
  %ranked = icmp eq i64 %rank.wide, %rank.wanted
  %data.at = getelementptr %Array, ptr %leaf, i64 0, i32 1
  %data = load ptr, ptr %data.at
  %bytes.at = getelementptr %Input, ptr %row, i64 0, i32 5
  %bytes = load i64, ptr %bytes.at
  ; NumPy asks for less alignment of complex elements than for their size.
  %mask = sub i64 %bytes, 1
  %address = ptrtoint ptr %data to i64
  %rest = and i64 %address, %mask
  %aligned = icmp eq i64 %rest, 0
  %lies.0 = and i1 %straight, %ranked
  %lies = and i1 %lies.0, %aligned
  %descr.at = getelementptr %Array, ptr %leaf, i64 0, i32 6
  %descr = load ptr, ptr %descr.at
  %descr.wanted.at = getelementptr %Input, ptr %row, i64 0, i32 1
  %descr.wanted = load ptr, ptr %descr.wanted.at
  %usual = icmp eq ptr %descr, %descr.wanted
  br i1 %lies, label %lying, label %other
lying:
  br i1 %usual, label %fine, label %compare
compare:
  ; Another object for the same dtype, as arrays have that were unpickled.
  %known.at = getelementptr %Descr, ptr %descr, i64 0, i32 6
  %known = load i32, ptr %known.at
  %known.wide = sext i32 %known to i64
  %number.at = getelementptr %Input, ptr %row, i64 0, i32 2
  %number.wanted = load i64, ptr %number.at
  %same = icmp eq i64 %known.wide, %number.wanted
  %order.at = getelementptr %Descr, ptr %descr, i64 0, i32 4
  %order = load i8, ptr %order.at
  %native = icmp eq i8 %order, 61                 ; =
  %orderless = icmp eq i8 %order, 124             ; |
  %readable = or i1 %native, %orderless
  %equal = and i1 %same, %readable
  br i1 %equal, label %fine, label %other
fine:
  ret ptr %data
other:
  ret ptr null
}

; The shapes of an instance's outputs if those of its inputs are the arguments', otherwise null.
define internal ptr @fits(ptr %instance, ptr %rows, i64 %count, ptr %args) {
  %first = getelementptr %Instance, ptr %instance, i64 1
  br label %input
input:
  %k = phi i64 [ 0, %0 ], [ %k.next, %advance ]
  %shape = phi ptr [ %first, %0 ], [ %shape.next, %advance ]
  %more = icmp ult i64 %k, %count
  br i1 %more, label %compare, label %fit
compare:
  %rank.at = getelementptr %Input, ptr %rows, i64 %k, i32 3
  %rank = load i64, ptr %rank.at
  %empty = icmp eq i64 %rank, 0
  br i1 %empty, label %advance, label %extents
extents:
  %leaf.at = getelementptr ptr, ptr %args, i64 %k
  %leaf = load ptr, ptr %leaf.at
  %given.at = getelementptr %Array, ptr %leaf, i64 0, i32 3
  %given = load ptr, ptr %given.at
  br label %axis
axis:
  %a = phi i64 [ 0, %extents ], [ %a.next, %equal ]
  %extent.at = getelementptr i64, ptr %given, i64 %a
  %extent = load i64, ptr %extent.at
  %wanted.at = getelementptr i64, ptr %shape, i64 %a
  %wanted = load i64, ptr %wanted.at
  %same = icmp eq i64 %extent, %wanted
  br i1 %same, label %equal, label %unfit
equal:
  %a.next = add i64 %a, 1
  %last = icmp eq i64 %a.next, %rank
  br i1 %last, label %advance, label %axis
advance:
  %k.next = add i64 %k, 1
  %shape.next = getelementptr i64, ptr %shape, i64 %rank
  br label %input
fit:
  ret ptr %shape
unfit:
  ret ptr null
}

; Where the elements of all arguments are, written to the buffers; false if one is not as expected.
define internal i1 @read(ptr %record, ptr %args, ptr %buffers, ptr %slots) {
  %api.at = getelementptr %Record, ptr %record, i64 0, i32 2
  %api = load ptr, ptr %api.at
  %count.at = getelementptr %Record, ptr %record, i64 0, i32 4
  %count = load i64, ptr %count.at
  %rows = getelementptr %Record, ptr %record, i64 1
  br label %input
input:
  %k = phi i64 [ 0, %0 ], [ %k.next, %readable ]
  %more = icmp ult i64 %k, %count
  br i1 %more, label %look, label %done
look:
  %row = getelementptr %Input, ptr %rows, i64 %k
  %leaf.at = getelementptr ptr, ptr %args, i64 %k
  %leaf = load ptr, ptr %leaf.at
  %slot = getelementptr i64, ptr %slots, i64 %k
  %elements = call ptr @elements(ptr %row, ptr %leaf, ptr %slot, ptr %api)
  %strange = icmp eq ptr %elements, null
  br i1 %strange, label %unread, label %readable
readable:
  %elements.at = getelementptr ptr, ptr %buffers, i64 %k
  store ptr %elements, ptr %elements.at
  %k.next = add i64 %k, 1
  br label %input
done:
  ret i1 true
unread:
  ret i1 false
}

; The array that holds the instance with the arguments' shapes, or null. Where the shapes of its
; outputs stand is written to `%shapes.at`.
define internal ptr @choose(ptr %record, ptr %instances, ptr %args, ptr %shapes.at) {
  %inputs.at = getelementptr %Record, ptr %record, i64 0, i32 4
  %inputs = load i64, ptr %inputs.at
  %count.at = getelementptr %Record, ptr %record, i64 0, i32 7
  %count = load i64, ptr %count.at
  %rows = getelementptr %Record, ptr %record, i64 1
  %table.at = getelementptr %Array, ptr %instances, i64 0, i32 1
  %table = load ptr, ptr %table.at
  br label %instance
instance:
  %n = phi i64 [ 0, %0 ], [ %n.next, %unfit ]
  %more = icmp ult i64 %n, %count
  br i1 %more, label %try, label %none
try:
  %holder.at = getelementptr ptr, ptr %table, i64 %n
  %holder = load ptr, ptr %holder.at
  %chosen.at = getelementptr %Array, ptr %holder, i64 0, i32 1
  %chosen = load ptr, ptr %chosen.at
  %shapes = call ptr @fits(ptr %chosen, ptr %rows, i64 %inputs, ptr %args)
  %differs = icmp eq ptr %shapes, null
  br i1 %differs, label %unfit, label %fit
unfit:
  %n.next = add i64 %n, 1
  br label %instance
fit:
  store ptr %shapes, ptr %shapes.at
  ret ptr %holder
none:
  ret ptr null
}
