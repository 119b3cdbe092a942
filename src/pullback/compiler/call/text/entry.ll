; The callable itself, of CPython's convention METH_FASTCALL | METH_KEYWORDS.

define ptr @entry(ptr %self, ptr %args, i64 %count, ptr %names) {
start:
  %items = getelementptr %Tuple, ptr %self, i64 0, i32 1
  %numbers = load ptr, ptr %items
  %instances.at = getelementptr ptr, ptr %items, i64 1
  %instances = load ptr, ptr %instances.at
  %slow.at = getelementptr ptr, ptr %items, i64 2
  %slow.path = load ptr, ptr %slow.at
  %raise.at = getelementptr ptr, ptr %items, i64 3
  %raise = load ptr, ptr %raise.at
  %record.at = getelementptr %Array, ptr %numbers, i64 0, i32 1
  %record = load ptr, ptr %record.at
  %api.at = getelementptr %Record, ptr %record, i64 0, i32 2
  %api = load ptr, ptr %api.at
  %vectorcall.at = getelementptr %Api, ptr %api, i64 0, i32 2
  %vectorcall = load ptr, ptr %vectorcall.at
  %incref = load ptr, ptr %api
  %decref.at = getelementptr %Api, ptr %api, i64 0, i32 1
  %decref = load ptr, ptr %decref.at
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
  %known.at = getelementptr %Record, ptr %record, i64 0, i32 7
  %known = load i64, ptr %known.at
  %input.rows = getelementptr %Record, ptr %record, i64 1
  %output.rows = getelementptr %Input, ptr %input.rows, i64 %inputs
  %constant.rows = getelementptr %Output, ptr %output.rows, i64 %outputs
  %both = add i64 %inputs, %outputs
  %all = add i64 %both, %constants
  %buffers = alloca ptr, i64 %all
  %slots = alloca i64, i64 %inputs
  %results = alloca ptr, i64 %outputs
  %values = alloca [16 x i8], i64 %outputs, align 16
  br label %input

; Whether the arguments are of the right types, and where their elements are.
input:
  %k = phi i64 [ 0, %begin ], [ %k.next, %readable ]
  %k.more = icmp ult i64 %k, %inputs
  br i1 %k.more, label %read, label %instance
read:
  %input.row = getelementptr %Input, ptr %input.rows, i64 %k
  %leaf.at = getelementptr ptr, ptr %args, i64 %k
  %leaf = load ptr, ptr %leaf.at
  %slot = getelementptr i64, ptr %slots, i64 %k
  %elements = call ptr @elements(ptr %input.row, ptr %leaf, ptr %slot, ptr %api)
  %strange = icmp eq ptr %elements, null
  br i1 %strange, label %slow, label %readable
readable:
  %elements.at = getelementptr ptr, ptr %buffers, i64 %k
  store ptr %elements, ptr %elements.at
  %k.next = add i64 %k, 1
  br label %input

; The instance that has their shapes. It is held while it is used, as another may take its place.
instance:
  %n = phi i64 [ 0, %input ], [ %n.next, %unfit ]
  %n.more = icmp ult i64 %n, %known
  br i1 %n.more, label %try, label %slow
try:
  %table.at = getelementptr %Array, ptr %instances, i64 0, i32 1
  %table = load ptr, ptr %table.at
  %holder.at = getelementptr ptr, ptr %table, i64 %n
  %holder = load ptr, ptr %holder.at
  %chosen.at = getelementptr %Array, ptr %holder, i64 0, i32 1
  %chosen = load ptr, ptr %chosen.at
  %shapes = call ptr @fits(ptr %chosen, ptr %input.rows, i64 %inputs, ptr %args)
  %differs = icmp eq ptr %shapes, null
  br i1 %differs, label %unfit, label %fit
unfit:
  %n.next = add i64 %n, 1
  br label %instance
fit:
  call void %incref(ptr %holder)
  %array.new.at = getelementptr %Api, ptr %api, i64 0, i32 13
  %array.new = load ptr, ptr %array.new.at
  %array.type.at = getelementptr %Api, ptr %api, i64 0, i32 15
  %array.type = load ptr, ptr %array.type.at
  br label %output

; Memory for the outputs.
output:
  %j = phi i64 [ 0, %fit ], [ %j.next, %provided ]
  %shape = phi ptr [ %shapes, %fit ], [ %shape.next, %provided ]
  %j.more = icmp ult i64 %j, %outputs
  br i1 %j.more, label %provide, label %constant
provide:
  %output.row = getelementptr %Output, ptr %output.rows, i64 %j
  %rank.at = getelementptr %Output, ptr %output.rows, i64 %j, i32 2
  %rank = load i64, ptr %rank.at
  %how.at = getelementptr %Output, ptr %output.rows, i64 %j, i32 3
  %how = load i64, ptr %how.at
  %is.array = icmp eq i64 %how, 0
  br i1 %is.array, label %array, label %value
value:
  %value.at = getelementptr [16 x i8], ptr %values, i64 %j
  br label %provided
array:
  %donated.at = getelementptr %Output, ptr %output.rows, i64 %j, i32 4
  %donated = load i64, ptr %donated.at
  %is.donated = icmp sge i64 %donated, 0
  br i1 %is.donated, label %offered, label %fresh
offered:
  %yields = call i1 @yields(ptr %record, ptr %args, ptr %buffers, i64 %donated)
  br i1 %yields, label %reuse, label %fresh
reuse:
  %gift.at = getelementptr ptr, ptr %args, i64 %donated
  %gift = load ptr, ptr %gift.at
  call void %incref(ptr %gift)
  br label %has.array
fresh:
  %number.at = getelementptr %Output, ptr %output.rows, i64 %j, i32 1
  %number = load i64, ptr %number.at
  %number.short = trunc i64 %number to i32
  %rank.short = trunc i64 %rank to i32
  %new = call ptr %array.new(ptr %array.type, i32 %rank.short, ptr %shape, i32 %number.short,
                             ptr null, ptr null, i32 0, i32 0, ptr null)
  %no.memory = icmp eq ptr %new, null
  br i1 %no.memory, label %without, label %has.array
has.array:
  %result = phi ptr [ %gift, %reuse ], [ %new, %fresh ]
  %result.data.at = getelementptr %Array, ptr %result, i64 0, i32 1
  %result.data = load ptr, ptr %result.data.at
  br label %provided
provided:
  %object = phi ptr [ null, %value ], [ %result, %has.array ]
  %memory = phi ptr [ %value.at, %value ], [ %result.data, %has.array ]
  %object.at = getelementptr ptr, ptr %results, i64 %j
  store ptr %object, ptr %object.at
  %place = add i64 %inputs, %j
  %memory.at = getelementptr ptr, ptr %buffers, i64 %place
  store ptr %memory, ptr %memory.at
  %shape.next = getelementptr i64, ptr %shape, i64 %rank
  %j.next = add i64 %j, 1
  br label %output

constant:
  %c = phi i64 [ 0, %output ], [ %c.next, %copy ]
  %c.more = icmp ult i64 %c, %constants
  br i1 %c.more, label %copy, label %working
copy:
  %fixed.at = getelementptr %Constant, ptr %constant.rows, i64 %c
  %fixed = load ptr, ptr %fixed.at
  %c.place = add i64 %both, %c
  %c.at = getelementptr ptr, ptr %buffers, i64 %c.place
  store ptr %fixed, ptr %c.at
  %c.next = add i64 %c, 1
  br label %constant

; Working memory.
working:
  %bytes = load i64, ptr %chosen
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
  br i1 %no.heap, label %without, label %run

run:
  %scratch = phi ptr [ null, %working ], [ %stack, %on.stack ], [ %heap, %on.heap ]
  %taken = phi ptr [ null, %working ], [ null, %on.stack ], [ %heap, %on.heap ]
  %native = load ptr, ptr %record
  %context.at = getelementptr %Record, ptr %record, i64 0, i32 1
  %context = load ptr, ptr %context.at
  %holes.at = getelementptr %Instance, ptr %chosen, i64 0, i32 2
  %holes.from = load i64, ptr %holes.at
  %no.holes = icmp eq i64 %holes.from, 0
  %holes.first = getelementptr i64, ptr %chosen, i64 %holes.from
  %holes = select i1 %no.holes, ptr null, ptr %holes.first
  %long.at = getelementptr %Instance, ptr %chosen, i64 0, i32 1
  %long = load i64, ptr %long.at
  %is.long = icmp ne i64 %long, 0
  br i1 %is.long, label %apart, label %together
together:
  %status.0 = call i32 %native(ptr %buffers, ptr %holes, ptr %scratch, ptr %context)
  br label %ran
apart:
  %save.at = getelementptr %Api, ptr %api, i64 0, i32 9
  %save = load ptr, ptr %save.at
  %thread = call ptr %save()
  %status.1 = call i32 %native(ptr %buffers, ptr %holes, ptr %scratch, ptr %context)
  %restore.at = getelementptr %Api, ptr %api, i64 0, i32 10
  %restore = load ptr, ptr %restore.at
  call void %restore(ptr %thread)
  br label %ran
ran:
  %status = phi i32 [ %status.0, %together ], [ %status.1, %apart ]
  %has.taken = icmp ne ptr %taken, null
  br i1 %has.taken, label %return.heap, label %finish
return.heap:
  call void @give(ptr %record, ptr %taken, ptr %api)
  br label %finish
finish:
  call void %decref(ptr %holder)
  %good = icmp eq i32 %status, 0
  br i1 %good, label %box, label %failed

; Results that are no arrays yet.
box:
  %b = phi i64 [ 0, %finish ], [ %b.next, %boxed ]
  %b.more = icmp ult i64 %b, %outputs
  br i1 %b.more, label %look, label %pack
look:
  %b.at = getelementptr ptr, ptr %results, i64 %b
  %b.object = load ptr, ptr %b.at
  %is.made = icmp ne ptr %b.object, null
  br i1 %is.made, label %boxed, label %make
make:
  %b.row = getelementptr %Output, ptr %output.rows, i64 %b
  %b.value = getelementptr [16 x i8], ptr %values, i64 %b
  %made = call ptr @boxed(ptr %b.row, ptr %b.value, ptr %api)
  store ptr %made, ptr %b.at
  %is.missing = icmp eq ptr %made, null
  br i1 %is.missing, label %lost, label %boxed
boxed:
  %b.next = add i64 %b, 1
  br label %box
pack:
  %single.at = getelementptr %Record, ptr %record, i64 0, i32 8
  %single = load i64, ptr %single.at
  %is.single = icmp ne i64 %single, 0
  br i1 %is.single, label %bare, label %tuple
bare:
  %only = load ptr, ptr %results
  ret ptr %only
tuple:
  %tuple.new.at = getelementptr %Api, ptr %api, i64 0, i32 4
  %tuple.new = load ptr, ptr %tuple.new.at
  %packed = call ptr %tuple.new(i64 %outputs)
  %unpacked = icmp eq ptr %packed, null
  br i1 %unpacked, label %lost, label %fill
fill:
  %t = phi i64 [ 0, %tuple ], [ %t.next, %put ]
  %t.more = icmp ult i64 %t, %outputs
  br i1 %t.more, label %put, label %filled
put:
  %t.from = getelementptr ptr, ptr %results, i64 %t
  %t.object = load ptr, ptr %t.from
  %t.to = getelementptr %Tuple, ptr %packed, i64 0, i32 1, i64 %t
  store ptr %t.object, ptr %t.to
  %t.next = add i64 %t, 1
  br label %fill
filled:
  ret ptr %packed

; An exception has been set: Python has no memory for a result.
lost:
  call void @drop(ptr %results, i64 %outputs, ptr %api)
  ret ptr null

; Native code has returned the number of an error, of which `raise` makes an exception.
failed:
  call void @drop(ptr %results, i64 %outputs, ptr %api)
  %integer.at = getelementptr %Api, ptr %api, i64 0, i32 6
  %integer = load ptr, ptr %integer.at
  %status.wide = sext i32 %status to i64
  %error = call ptr %integer(i64 %status.wide)
  %unnumbered = icmp eq ptr %error, null
  br i1 %unnumbered, label %silent, label %speak
speak:
  %error.at = alloca ptr
  store ptr %error, ptr %error.at
  %nothing = call ptr %vectorcall(ptr %raise, ptr %error.at, i64 1, ptr null)
  call void %decref(ptr %error)
  ret ptr %nothing
silent:
  ret ptr null

; No memory for outputs or scratch: the slow path has the words for it.
without:
  %so.far = phi i64 [ %j, %fresh ], [ %outputs, %on.heap ]
  call void @drop(ptr %results, i64 %so.far, ptr %api)
  call void %decref(ptr %holder)
  %clear.at = getelementptr %Api, ptr %api, i64 0, i32 3
  %clear = load ptr, ptr %clear.at
  call void %clear()
  br label %slow

slow:
  %answer = call ptr %vectorcall(ptr %slow.path, ptr %args, i64 %count, ptr %names)
  ret ptr %answer
}
