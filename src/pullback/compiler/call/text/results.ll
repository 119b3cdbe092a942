; Making results.

; A result that is no array, of its value in memory; null with an exception if that fails.
define internal ptr @boxed(ptr %row, ptr %value, ptr %api) {
  %how.at = getelementptr %Output, ptr %row, i64 0, i32 3
  %how = load i64, ptr %how.at
  switch i64 %how, label %scalar [ i64 2, label %float
                                   i64 3, label %integer
                                   i64 4, label %boolean
                                   i64 5, label %complex ]
scalar:
  %descr = load ptr, ptr %row
  %scalar.at = getelementptr %Api, ptr %api, i64 0, i32 14
  %scalar.new = load ptr, ptr %scalar.at
  %s = call ptr %scalar.new(ptr %value, ptr %descr, ptr null)
  ret ptr %s
float:
  %float.at = getelementptr %Api, ptr %api, i64 0, i32 5
  %float.new = load ptr, ptr %float.at
  %x = load double, ptr %value
  %f = call ptr %float.new(double %x)
  ret ptr %f
integer:
  %integer.at = getelementptr %Api, ptr %api, i64 0, i32 6
  %integer.new = load ptr, ptr %integer.at
  %n = load i64, ptr %value
  %i = call ptr %integer.new(i64 %n)
  ret ptr %i
boolean:
  %byte = load i8, ptr %value
  %is = icmp ne i8 %byte, 0
  %true.at = getelementptr %Api, ptr %api, i64 0, i32 16
  %true = load ptr, ptr %true.at
  %false.at = getelementptr %Api, ptr %api, i64 0, i32 17
  %false = load ptr, ptr %false.at
  %b = select i1 %is, ptr %true, ptr %false
  %incref = load ptr, ptr %api
  call void %incref(ptr %b)
  ret ptr %b
complex:
  %complex.at = getelementptr %Api, ptr %api, i64 0, i32 7
  %complex.new = load ptr, ptr %complex.at
  %re = load double, ptr %value
  %im.at = getelementptr double, ptr %value, i64 1
  %im = load double, ptr %im.at
  %c = call ptr %complex.new(double %re, double %im)
  ret ptr %c
}

; Let go of the first results, those of them that there are.
define internal void @drop(ptr %results, i64 %count, ptr %api) {
  %decref.at = getelementptr %Api, ptr %api, i64 0, i32 1
  %decref = load ptr, ptr %decref.at
  br label %result
result:
  %j = phi i64 [ 0, %0 ], [ %j.next, %advance ]
  %more = icmp ult i64 %j, %count
  br i1 %more, label %look, label %done
look:
  %at = getelementptr ptr, ptr %results, i64 %j
  %object = load ptr, ptr %at
  %none = icmp eq ptr %object, null
  br i1 %none, label %advance, label %release
release:
  call void %decref(ptr %object)
  br label %advance
advance:
  %j.next = add i64 %j, 1
  br label %result
done:
  ret void
}

; What is returned: results that are no arrays are made of their values. Null with an exception if
; Python has no memory for them.
define internal ptr @finish(ptr %record, ptr %results, ptr %values) {
  %api.at = getelementptr %Record, ptr %record, i64 0, i32 2
  %api = load ptr, ptr %api.at
  %inputs.at = getelementptr %Record, ptr %record, i64 0, i32 4
  %inputs = load i64, ptr %inputs.at
  %outputs.at = getelementptr %Record, ptr %record, i64 0, i32 5
  %outputs = load i64, ptr %outputs.at
  %first = getelementptr %Record, ptr %record, i64 1
  %rows = getelementptr %Input, ptr %first, i64 %inputs
  br label %result
result:
  %j = phi i64 [ 0, %0 ], [ %j.next, %made ]
  %more = icmp ult i64 %j, %outputs
  br i1 %more, label %look, label %pack
look:
  %at = getelementptr ptr, ptr %results, i64 %j
  %object = load ptr, ptr %at
  %is.array = icmp ne ptr %object, null
  br i1 %is.array, label %made, label %make
make:
  %row = getelementptr %Output, ptr %rows, i64 %j
  %value = getelementptr [16 x i8], ptr %values, i64 %j
  %boxed = call ptr @boxed(ptr %row, ptr %value, ptr %api)
  store ptr %boxed, ptr %at
  %is.missing = icmp eq ptr %boxed, null
  br i1 %is.missing, label %lost, label %made
made:
  %j.next = add i64 %j, 1
  br label %result
pack:
  %single.at = getelementptr %Record, ptr %record, i64 0, i32 8
  %single = load i64, ptr %single.at
  %is.single = icmp ne i64 %single, 0
  br i1 %is.single, label %bare, label %tuple
bare:
  %only = load ptr, ptr %results
  ret ptr %only
tuple:
  %new.at = getelementptr %Api, ptr %api, i64 0, i32 4
  %new = load ptr, ptr %new.at
  %packed = call ptr %new(i64 %outputs)
  %unpacked = icmp eq ptr %packed, null
  br i1 %unpacked, label %lost, label %fill
fill:
  %t = phi i64 [ 0, %tuple ], [ %t.next, %put ]
  %left = icmp ult i64 %t, %outputs
  br i1 %left, label %put, label %filled
put:
  %from = getelementptr ptr, ptr %results, i64 %t
  %item = load ptr, ptr %from
  %to = getelementptr %Tuple, ptr %packed, i64 0, i32 1, i64 %t
  store ptr %item, ptr %to
  %t.next = add i64 %t, 1
  br label %fill
filled:
  ret ptr %packed
lost:
  call void @drop(ptr %results, i64 %outputs, ptr %api)
  ret ptr null
}

; Let the exception be set for the number of an error, and for the arguments, which may say more.
define internal ptr @fail(ptr %record, ptr %raise, i32 %status, ptr %args, i64 %count) {
  %api.at = getelementptr %Record, ptr %record, i64 0, i32 2
  %api = load ptr, ptr %api.at
  %told = add i64 %count, 1
  %error.at = alloca ptr, i64 %told
  %integer.at = getelementptr %Api, ptr %api, i64 0, i32 6
  %integer = load ptr, ptr %integer.at
  %wide = sext i32 %status to i64
  %error = call ptr %integer(i64 %wide)
  %unnumbered = icmp eq ptr %error, null
  br i1 %unnumbered, label %silent, label %speak
speak:
  store ptr %error, ptr %error.at
  br label %next
next:
  %k = phi i64 [ 0, %speak ], [ %k.next, %copy ]
  %more = icmp slt i64 %k, %count
  br i1 %more, label %copy, label %complete
copy:
  %arg.at = getelementptr ptr, ptr %args, i64 %k
  %arg = load ptr, ptr %arg.at
  %k.next = add i64 %k, 1
  %place = getelementptr ptr, ptr %error.at, i64 %k.next
  store ptr %arg, ptr %place
  br label %next
complete:
  %call.at = getelementptr %Api, ptr %api, i64 0, i32 2
  %call = load ptr, ptr %call.at
  %nothing = call ptr %call(ptr %raise, ptr %error.at, i64 %told, ptr null)
  %decref.at = getelementptr %Api, ptr %api, i64 0, i32 1
  %decref = load ptr, ptr %decref.at
  call void %decref(ptr %error)
  ret ptr %nothing
silent:
  ret ptr null
}
