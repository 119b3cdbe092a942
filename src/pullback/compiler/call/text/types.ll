; What Python calls in place of a function: it reads NumPy's arrays itself, and calls native code.
;
; One object serves all native functions. What it must know of one stands in the tuple that is bound
; to the callable, `%self`: a record of numbers, the instances, the slow path, and what raises. On
; whatever is not expected here, the slow path is called with the same arguments, so that nothing
; has to be right but the fast case. Addresses of Python and NumPy come in a table, `%Api`. How
; objects lie in memory is checked in layout.py before this text is used, and the records are
; written by record.py, in this order.

%Object = type { i64, ptr }                        ; references, type
%Array = type {                                    ; of NumPy:
  %Object, ptr, i32, ptr, ptr,                     ;  0 head, data, rank, shape, strides
  ptr, ptr, i32                                    ;  5 base, dtype, flags
}
%Descr = type {                                    ; a dtype:
  %Object, ptr, i8, i8, i8, i8, i32                ;  0 head, scalars, kind, char, order, -, number
}
%Value = type { %Object, [0 x i8] }                ; a float, a complex or a scalar of NumPy
%Tuple = type { [$ITEMS x i8], [0 x ptr] }

%Api = type {                                      ; functions:
  ptr, ptr, ptr, ptr, ptr,                         ;  0 incref, decref, call, clear error, tuple
  ptr, ptr, ptr, ptr,                              ;  5 float, int, complex; value of an int
  ptr, ptr, ptr, ptr,                              ;  9 leave the GIL, take it; malloc, free
  ptr, ptr, ptr, ptr, ptr                          ; 13 new array, new scalar; ndarray, True, False
}
%Record = type {                                   ; of a native function:
  ptr, ptr, ptr, ptr,                              ;  0 address, context, api, scratch that is kept
  i64, i64, i64, i64,                              ;  4 inputs, outputs, constants, instances
  i64, i64, i64                                    ;  8 single, most on the stack, most that is kept
}                                                  ; rows of inputs, outputs, constants follow
%Input = type { ptr, ptr, i64, i64, i64, i64 }     ; type, dtype, number, rank, how, bytes of one
%Output = type { ptr, i64, i64, i64, i64 }         ; dtype, number, rank, how, donated or -1
%Constant = type { ptr, i64 }                      ; data, bytes
%Instance = type { i64, i64, i64 }                 ; scratch, long, first hole or 0; shapes follow
%Block = type { ptr, i64 }                         ; before scratch: what to free, bytes
