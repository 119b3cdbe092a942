; Memory for the results.

; An array for each output that is one, written to the results, and the memory of every output,
; written to the buffers behind the inputs. False if there is no memory; then results are dropped.
define internal i1 @provide(ptr %record, ptr %args, ptr %shapes, ptr %buffers, ptr %results,
                            ptr %values) {
  %api.at = getelementptr %Record, ptr %record, i64 0, i32 2
  %api = load ptr, ptr %api.at
  %inputs.at = getelementptr %Record, ptr %record, i64 0, i32 4
  %inputs = load i64, ptr %inputs.at
  %outputs.at = getelementptr %Record, ptr %record, i64 0, i32 5
  %outputs = load i64, ptr %outputs.at
  %first = getelementptr %Record, ptr %record, i64 1
  %rows = getelementptr %Input, ptr %first, i64 %inputs
  %behind = getelementptr ptr, ptr %buffers, i64 %inputs
  br label %output
output:
  %j = phi i64 [ 0, %0 ], [ %j.next, %provided ]
  %shape = phi ptr [ %shapes, %0 ], [ %shape.next, %provided ]
  %more = icmp ult i64 %j, %outputs
  br i1 %more, label %begin, label %done
begin:
  %row = getelementptr %Output, ptr %rows, i64 %j
  %rank.at = getelementptr %Output, ptr %row, i64 0, i32 2
  %rank = load i64, ptr %rank.at
  %how.at = getelementptr %Output, ptr %row, i64 0, i32 3
  %how = load i64, ptr %how.at
  %is.array = icmp eq i64 %how, 0
  br i1 %is.array, label %array, label %value
value:
  %value.at = getelementptr [16 x i8], ptr %values, i64 %j
  br label %provided
array:
  %donated.at = getelementptr %Output, ptr %row, i64 0, i32 4
  %donated = load i64, ptr %donated.at
  %is.donated = icmp sge i64 %donated, 0
  br i1 %is.donated, label %offered, label %fresh
offered:
  %yields = call i1 @yields(ptr %record, ptr %args, ptr %buffers, i64 %donated)
  br i1 %yields, label %reuse, label %fresh
reuse:
  %gift.at = getelementptr ptr, ptr %args, i64 %donated
  %gift = load ptr, ptr %gift.at
  %incref = load ptr, ptr %api
  call void %incref(ptr %gift)
  br label %has.array
fresh:
  %new.at = getelementptr %Api, ptr %api, i64 0, i32 13
  %new = load ptr, ptr %new.at
  %type.at = getelementptr %Api, ptr %api, i64 0, i32 15
  %type = load ptr, ptr %type.at
  %number.at = getelementptr %Output, ptr %row, i64 0, i32 1
  %number = load i64, ptr %number.at
  %number.short = trunc i64 %number to i32
  %rank.short = trunc i64 %rank to i32
  %made = call ptr %new(ptr %type, i32 %rank.short, ptr %shape, i32 %number.short, ptr null,
                        ptr null, i32 0, i32 0, ptr null)
  %no.memory = icmp eq ptr %made, null
  br i1 %no.memory, label %without, label %has.array
has.array:
  %result = phi ptr [ %gift, %reuse ], [ %made, %fresh ]
  %data.at = getelementptr %Array, ptr %result, i64 0, i32 1
  %data = load ptr, ptr %data.at
  br label %provided
provided:
  %object = phi ptr [ null, %value ], [ %result, %has.array ]
  %memory = phi ptr [ %value.at, %value ], [ %data, %has.array ]
  %object.at = getelementptr ptr, ptr %results, i64 %j
  store ptr %object, ptr %object.at
  %memory.at = getelementptr ptr, ptr %behind, i64 %j
  store ptr %memory, ptr %memory.at
  %shape.next = getelementptr i64, ptr %shape, i64 %rank
  %j.next = add i64 %j, 1
  br label %output
done:
  ret i1 true
without:
  call void @drop(ptr %results, i64 %j, ptr %api)
  ret i1 false
}

; Write where the constants are behind the outputs.
define internal void @append(ptr %record, ptr %buffers) {
  %inputs.at = getelementptr %Record, ptr %record, i64 0, i32 4
  %inputs = load i64, ptr %inputs.at
  %outputs.at = getelementptr %Record, ptr %record, i64 0, i32 5
  %outputs = load i64, ptr %outputs.at
  %count.at = getelementptr %Record, ptr %record, i64 0, i32 6
  %count = load i64, ptr %count.at
  %first = getelementptr %Record, ptr %record, i64 1
  %output.rows = getelementptr %Input, ptr %first, i64 %inputs
  %rows = getelementptr %Output, ptr %output.rows, i64 %outputs
  %others = add i64 %inputs, %outputs
  %behind = getelementptr ptr, ptr %buffers, i64 %others
  br label %constant
constant:
  %c = phi i64 [ 0, %0 ], [ %c.next, %copy ]
  %more = icmp ult i64 %c, %count
  br i1 %more, label %copy, label %done
copy:
  %fixed.at = getelementptr %Constant, ptr %rows, i64 %c
  %fixed = load ptr, ptr %fixed.at
  %place = getelementptr ptr, ptr %behind, i64 %c
  store ptr %fixed, ptr %place
  %c.next = add i64 %c, 1
  br label %constant
done:
  ret void
}
