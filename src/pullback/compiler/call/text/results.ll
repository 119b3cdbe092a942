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
