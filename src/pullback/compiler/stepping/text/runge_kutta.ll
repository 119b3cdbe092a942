; An explicit Runge–Kutta method with SciPy's coefficients and SciPy's choice of steps.
;
; Each operation is SciPy's, in SciPy's order: sums of stages are matrix–vector products of BLAS, as
; NumPy's are, powers are the C library's, and nothing is contracted. So the states are SciPy's to
; the bit, if the right-hand side is. Whatever is not an ordinary course of things (a right-hand
; side that fails, too small a step, a number that is none, no more room) ends it with a status, and
; SciPy itself is asked.

%Field = type {                                    ; the right-hand side, a native function:
  ptr, ptr, ptr, ptr,                              ;  0 code, buffers, working memory, context
  i64                                              ;  4 which of the buffers the result is
}
%Method = type {
  i64, i64,                                        ;  0 stages, length of a row of A
  ptr, ptr, ptr, ptr,                              ;  2 A, B, C, E
  ptr, i64,                                        ;  6 P, of the interpolant, and its columns
  double,                                          ;  8 one by the order of the error
  ptr, ptr, ptr                                    ;  9 BLAS: dgemv, dgemm, ddot
}
%Problem = type {
  i64, double,                                     ;  0 components, the root of their number
  double, double, double,                          ;  2 first time, last time, sign of the way
  double, double,                                  ;  5 first step or -1, longest step
  ptr, ptr,                                        ;  7 tolerances of each component: rtol, atol
  i64, ptr, ptr,                                   ;  9 how many times asked for, these, states there
  i64, ptr, ptr,                                   ; 12 room for steps; times and states, first set
  ptr,                                             ; 15 working memory
  i64                                              ; 16 evaluations of the right-hand side
}

declare double @llvm.fabs.f64(double)
declare double @llvm.sqrt.f64(double)
declare double @pow(double, double)
declare double @nextafter(double, double)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)

define internal void @copy(i64 %d, ptr %x, ptr %to) {
  %bytes = mul i64 %d, 8
  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %to, ptr align 8 %x, i64 %bytes, i1 false)
  ret void
}

; f(t, y), written to `out`; whether it was evaluated.
define internal i1 @evaluate(ptr %field, double %t, ptr %y, ptr %out) {
  %time = alloca double
  store double %t, ptr %time
  %run = load ptr, ptr %field
  %buffers.at = getelementptr %Field, ptr %field, i64 0, i32 1
  %buffers = load ptr, ptr %buffers.at
  %scratch.at = getelementptr %Field, ptr %field, i64 0, i32 2
  %scratch = load ptr, ptr %scratch.at
  %context.at = getelementptr %Field, ptr %field, i64 0, i32 3
  %context = load ptr, ptr %context.at
  %number.at = getelementptr %Field, ptr %field, i64 0, i32 4
  %number = load i64, ptr %number.at
  store ptr %time, ptr %buffers
  %y.at = getelementptr ptr, ptr %buffers, i64 1
  store ptr %y, ptr %y.at
  %out.at = getelementptr ptr, ptr %buffers, i64 %number
  store ptr %out, ptr %out.at
  %status = call i32 %run(ptr %buffers, ptr null, ptr %scratch, ptr %context)
  %good = icmp eq i32 %status, 0
  ret i1 %good
}

define internal double @dot(ptr %method, i64 %n, ptr %x, ptr %y) {
  %ddot.at = getelementptr %Method, ptr %method, i64 0, i32 11
  %ddot = load ptr, ptr %ddot.at
  %count = alloca i32
  %one = alloca i32
  %n.short = trunc i64 %n to i32
  store i32 %n.short, ptr %count
  store i32 1, ptr %one
  %sum = call double %ddot(ptr %count, ptr %x, ptr %one, ptr %y, ptr %one)
  ret double %sum
}

; The first s rows of K, weighted and summed. One component is a product of two vectors to NumPy.
define internal void @combine(ptr %method, i64 %d, i64 %s, ptr %k, ptr %weights, ptr %out) {
  %single = icmp eq i64 %d, 1
  br i1 %single, label %one, label %several
one:
  %sum = call double @dot(ptr %method, i64 %s, ptr %k, ptr %weights)
  store double %sum, ptr %out
  ret void
several:
  %dgemv.at = getelementptr %Method, ptr %method, i64 0, i32 9
  %dgemv = load ptr, ptr %dgemv.at
  %letter = alloca i8
  %rows = alloca i32
  %columns = alloca i32
  %step = alloca i32
  %unit = alloca double
  %zero = alloca double
  %d.short = trunc i64 %d to i32
  %s.short = trunc i64 %s to i32
  store i8 78, ptr %letter                         ; N
  store i32 %d.short, ptr %rows
  store i32 %s.short, ptr %columns
  store i32 1, ptr %step
  store double 1.0, ptr %unit
  store double 0.0, ptr %zero
  call void %dgemv(ptr %letter, ptr %rows, ptr %columns, ptr %unit, ptr %k, ptr %rows,
                   ptr %weights, ptr %step, ptr %zero, ptr %out, ptr %step)
  ret void
}

; y + h x.
define internal void @move(i64 %d, ptr %y, double %h, ptr %x, ptr %out) {
  br label %each
each:
  %i = phi i64 [ 0, %0 ], [ %i.next, %each ]
  %y.at = getelementptr double, ptr %y, i64 %i
  %y.i = load double, ptr %y.at
  %x.at = getelementptr double, ptr %x, i64 %i
  %x.i = load double, ptr %x.at
  %change = fmul double %x.i, %h
  %new = fadd double %y.i, %change
  %out.at = getelementptr double, ptr %out, i64 %i
  store double %new, ptr %out.at
  %i.next = add i64 %i, 1
  %more = icmp slt i64 %i.next, %d
  br i1 %more, label %each, label %done
done:
  ret void
}

; The root mean square of h (x - w) divided by atol + rtol max(|y|, |z|), component by component.
define internal double @size(ptr %method, ptr %problem, double %h, ptr %x, ptr %w, ptr %y, ptr %z,
                             ptr %work) {
  %d = load i64, ptr %problem
  %root.at = getelementptr %Problem, ptr %problem, i64 0, i32 1
  %root = load double, ptr %root.at
  %rtol.at = getelementptr %Problem, ptr %problem, i64 0, i32 7
  %rtol = load ptr, ptr %rtol.at
  %atol.at = getelementptr %Problem, ptr %problem, i64 0, i32 8
  %atol = load ptr, ptr %atol.at
  %differs = icmp ne ptr %w, null
  br label %each
each:
  %i = phi i64 [ 0, %0 ], [ %i.next, %scaled ]
  %x.at = getelementptr double, ptr %x, i64 %i
  %x.i = load double, ptr %x.at
  br i1 %differs, label %minus, label %scaled
minus:
  %w.at = getelementptr double, ptr %w, i64 %i
  %w.i = load double, ptr %w.at
  %difference = fsub double %x.i, %w.i
  br label %scaled
scaled:
  %value = phi double [ %x.i, %each ], [ %difference, %minus ]
  %y.at = getelementptr double, ptr %y, i64 %i
  %y.i = load double, ptr %y.at
  %z.at = getelementptr double, ptr %z, i64 %i
  %z.i = load double, ptr %z.at
  %y.size = call double @llvm.fabs.f64(double %y.i)
  %z.size = call double @llvm.fabs.f64(double %z.i)
  %larger = fcmp ogt double %y.size, %z.size
  %most = select i1 %larger, double %y.size, double %z.size
  %r.at = getelementptr double, ptr %rtol, i64 %i
  %r = load double, ptr %r.at
  %a.at = getelementptr double, ptr %atol, i64 %i
  %a = load double, ptr %a.at
  %relative = fmul double %most, %r
  %scale = fadd double %a, %relative
  %long = fmul double %value, %h
  %ratio = fdiv double %long, %scale
  %work.at = getelementptr double, ptr %work, i64 %i
  store double %ratio, ptr %work.at
  %i.next = add i64 %i, 1
  %more = icmp slt i64 %i.next, %d
  br i1 %more, label %each, label %done
done:
  %square = call double @dot(ptr %method, i64 %d, ptr %work, ptr %work)
  %norm = call double @llvm.sqrt.f64(double %square)
  %mean = fdiv double %norm, %root
  ret double %mean
}

define internal double @least(double %x, double %y) {
  %less = fcmp olt double %y, %x
  %min = select i1 %less, double %y, double %x
  ret double %min
}

define internal double @greatest(double %x, double %y) {
  %more = fcmp ogt double %y, %x
  %max = select i1 %more, double %y, double %x
  ret double %max
}

; The first step (Hairer, Nørsett and Wanner I, II.4), from f at the begin; -1 if there is none.
define internal double @begin(ptr %field, ptr %method, ptr %problem, ptr %y, ptr %f, ptr %point,
                              ptr %other, ptr %work) {
  %d = load i64, ptr %problem
  %t0.at = getelementptr %Problem, ptr %problem, i64 0, i32 2
  %t0 = load double, ptr %t0.at
  %t1.at = getelementptr %Problem, ptr %problem, i64 0, i32 3
  %t1 = load double, ptr %t1.at
  %way.at = getelementptr %Problem, ptr %problem, i64 0, i32 4
  %way = load double, ptr %way.at
  %most.at = getelementptr %Problem, ptr %problem, i64 0, i32 6
  %most = load double, ptr %most.at
  %power.at = getelementptr %Method, ptr %method, i64 0, i32 8
  %power = load double, ptr %power.at
  %span = fsub double %t1, %t0
  %interval = call double @llvm.fabs.f64(double %span)
  %d0 = call double @size(ptr %method, ptr %problem, double 1.0, ptr %y, ptr null, ptr %y, ptr %y,
                          ptr %work)
  %d1 = call double @size(ptr %method, ptr %problem, double 1.0, ptr %f, ptr null, ptr %y, ptr %y,
                          ptr %work)
  %small.0 = fcmp olt double %d0, 1.0e-5
  %small.1 = fcmp olt double %d1, 1.0e-5
  %small = or i1 %small.0, %small.1
  %share = fmul double 1.0e-2, %d0
  %guess = fdiv double %share, %d1
  %h.raw = select i1 %small, double 1.0e-6, double %guess
  %h = call double @least(double %h.raw, double %interval)
  %step = fmul double %h, %way
  call void @move(i64 %d, ptr %y, double %step, ptr %f, ptr %point)
  %after = fadd double %t0, %step
  %good = call i1 @evaluate(ptr %field, double %after, ptr %point, ptr %other)
  br i1 %good, label %compare, label %bad
compare:
  %change = call double @size(ptr %method, ptr %problem, double 1.0, ptr %other, ptr %f, ptr %y,
                              ptr %y, ptr %work)
  %d2 = fdiv double %change, %h
  %flat.1 = fcmp ole double %d1, 0x3CD203AF9EE75616 ; 1e-15
  %flat.2 = fcmp ole double %d2, 0x3CD203AF9EE75616
  %flat = and i1 %flat.1, %flat.2
  br i1 %flat, label %still, label %curved
still:
  %thousandth = fmul double %h, 1.0e-3
  %h.still = call double @greatest(double 1.0e-6, double %thousandth)
  br label %choose
curved:
  %d12 = call double @greatest(double %d1, double %d2)
  %part = fdiv double 1.0e-2, %d12
  %h.curved = call double @pow(double %part, double %power)
  br label %choose
choose:
  %h1 = phi double [ %h.still, %still ], [ %h.curved, %curved ]
  %hundred = fmul double 1.0e2, %h
  %a = call double @least(double %hundred, double %h1)
  %b = call double @least(double %a, double %interval)
  %c = call double @least(double %b, double %most)
  ret double %c
bad:
  ret double -1.0
}

; The states at so many times within a step, by the interpolant, to rows of `out`.
define internal void @interpolate(ptr %method, i64 %d, double %t, double %h, ptr %y, ptr %k,
                                  i64 %count, ptr %times, ptr %out, ptr %work) {
  %stages = load i64, ptr %method
  %rows = add i64 %stages, 1
  %p.at = getelementptr %Method, ptr %method, i64 0, i32 6
  %p = load ptr, ptr %p.at
  %columns.at = getelementptr %Method, ptr %method, i64 0, i32 7
  %columns = load i64, ptr %columns.at
  %dgemm.at = getelementptr %Method, ptr %method, i64 0, i32 10
  %dgemm = load ptr, ptr %dgemm.at
  %dgemv.at = getelementptr %Method, ptr %method, i64 0, i32 9
  %dgemv = load ptr, ptr %dgemv.at
  %plain = alloca i8
  %turned = alloca i8
  %d.32 = alloca i32
  %rows.32 = alloca i32
  %columns.32 = alloca i32
  %count.32 = alloca i32
  %step = alloca i32
  %unit = alloca double
  %zero = alloca double
  store i8 78, ptr %plain                          ; N
  store i8 84, ptr %turned                         ; T
  store i32 1, ptr %step
  store double 1.0, ptr %unit
  store double 0.0, ptr %zero
  %d.short = trunc i64 %d to i32
  store i32 %d.short, ptr %d.32
  %rows.short = trunc i64 %rows to i32
  store i32 %rows.short, ptr %rows.32
  %columns.short = trunc i64 %columns to i32
  store i32 %columns.short, ptr %columns.32
  %count.short = trunc i64 %count to i32
  store i32 %count.short, ptr %count.32
  %q.size = mul i64 %d, %columns
  %powers = getelementptr double, ptr %work, i64 %q.size
  %powers.size = mul i64 %columns, %count
  %sums = getelementptr double, ptr %powers, i64 %powers.size
  %single.d = icmp eq i64 %d, 1
  br i1 %single.d, label %row, label %matrix
row:                                               ; NumPy has P with one row of K as Pᵀ times it
  call void %dgemv(ptr %plain, ptr %columns.32, ptr %rows.32, ptr %unit, ptr %p, ptr %columns.32,
                   ptr %k, ptr %step, ptr %zero, ptr %work, ptr %step)
  br label %times.begin
matrix:
  call void %dgemm(ptr %plain, ptr %turned, ptr %columns.32, ptr %d.32, ptr %rows.32, ptr %unit,
                   ptr %p, ptr %columns.32, ptr %k, ptr %d.32, ptr %zero, ptr %work,
                   ptr %columns.32)
  br label %times.begin
times.begin:
  br label %time
time:
  %j = phi i64 [ 0, %times.begin ], [ %j.next, %powers.done ]
  %time.at = getelementptr double, ptr %times, i64 %j
  %at = load double, ptr %time.at
  %since = fsub double %at, %t
  %x = fdiv double %since, %h
  br label %power
power:
  %m = phi i64 [ 0, %time ], [ %m.next, %power ]
  %last = phi double [ %x, %time ], [ %product, %power ]
  %place.row = mul i64 %m, %count
  %place = add i64 %place.row, %j
  %power.at = getelementptr double, ptr %powers, i64 %place
  store double %last, ptr %power.at
  %product = fmul double %last, %x
  %m.next = add i64 %m, 1
  %more.m = icmp slt i64 %m.next, %columns
  br i1 %more.m, label %power, label %powers.done
powers.done:
  %j.next = add i64 %j, 1
  %more.j = icmp slt i64 %j.next, %count
  br i1 %more.j, label %time, label %sum
sum:
  %single = icmp eq i64 %count, 1
  br i1 %single, label %one, label %several
one:
  br i1 %single.d, label %dot, label %vector
dot:
  %number = call double @dot(ptr %method, i64 %columns, ptr %work, ptr %powers)
  store double %number, ptr %sums
  br label %finish
vector:
  call void %dgemv(ptr %turned, ptr %columns.32, ptr %d.32, ptr %unit, ptr %work,
                   ptr %columns.32, ptr %powers, ptr %step, ptr %zero, ptr %sums, ptr %step)
  br label %finish
several:
  br i1 %single.d, label %vector.one, label %matrices
vector.one:
  call void %dgemv(ptr %plain, ptr %count.32, ptr %columns.32, ptr %unit, ptr %powers,
                   ptr %count.32, ptr %work, ptr %step, ptr %zero, ptr %sums, ptr %step)
  br label %finish
matrices:
  call void %dgemm(ptr %plain, ptr %plain, ptr %count.32, ptr %d.32, ptr %columns.32, ptr %unit,
                   ptr %powers, ptr %count.32, ptr %work, ptr %columns.32, ptr %zero, ptr %sums,
                   ptr %count.32)
  br label %finish
finish:
  br label %row.j
row.j:
  %r = phi i64 [ 0, %finish ], [ %r.next, %row.done ]
  br label %component
component:
  %i = phi i64 [ 0, %row.j ], [ %i.next, %component ]
  %from.row = mul i64 %i, %count
  %from = add i64 %from.row, %r
  %sum.at = getelementptr double, ptr %sums, i64 %from
  %sum.i = load double, ptr %sum.at
  %change = fmul double %h, %sum.i
  %y.at = getelementptr double, ptr %y, i64 %i
  %y.i = load double, ptr %y.at
  %state = fadd double %change, %y.i
  %to.row = mul i64 %r, %d
  %to = add i64 %to.row, %i
  %out.at = getelementptr double, ptr %out, i64 %to
  store double %state, ptr %out.at
  %i.next = add i64 %i, 1
  %more.i = icmp slt i64 %i.next, %d
  br i1 %more.i, label %component, label %row.done
row.done:
  %r.next = add i64 %r, 1
  %more.r = icmp slt i64 %r.next, %count
  br i1 %more.r, label %row.j, label %end
end:
  ret void
}

; The number of steps, or -1.
define i64 @solve(ptr %field, ptr %method, ptr %problem) {
  %d = load i64, ptr %problem
  %t0.at = getelementptr %Problem, ptr %problem, i64 0, i32 2
  %t0 = load double, ptr %t0.at
  %t1.at = getelementptr %Problem, ptr %problem, i64 0, i32 3
  %t1 = load double, ptr %t1.at
  %way.at = getelementptr %Problem, ptr %problem, i64 0, i32 4
  %way = load double, ptr %way.at
  %given.at = getelementptr %Problem, ptr %problem, i64 0, i32 5
  %given = load double, ptr %given.at
  %longest.at = getelementptr %Problem, ptr %problem, i64 0, i32 6
  %longest = load double, ptr %longest.at
  %asked.at = getelementptr %Problem, ptr %problem, i64 0, i32 9
  %asked = load i64, ptr %asked.at
  %asked.times.at = getelementptr %Problem, ptr %problem, i64 0, i32 10
  %asked.times = load ptr, ptr %asked.times.at
  %asked.states.at = getelementptr %Problem, ptr %problem, i64 0, i32 11
  %asked.states = load ptr, ptr %asked.states.at
  %room.at = getelementptr %Problem, ptr %problem, i64 0, i32 12
  %room = load i64, ptr %room.at
  %times.at = getelementptr %Problem, ptr %problem, i64 0, i32 13
  %times = load ptr, ptr %times.at
  %states.at = getelementptr %Problem, ptr %problem, i64 0, i32 14
  %states = load ptr, ptr %states.at
  %work.at = getelementptr %Problem, ptr %problem, i64 0, i32 15
  %work = load ptr, ptr %work.at
  %count.at = getelementptr %Problem, ptr %problem, i64 0, i32 16
  %stages = load i64, ptr %method
  %stride.at = getelementptr %Method, ptr %method, i64 0, i32 1
  %stride = load i64, ptr %stride.at
  %a.at = getelementptr %Method, ptr %method, i64 0, i32 2
  %a = load ptr, ptr %a.at
  %b.at = getelementptr %Method, ptr %method, i64 0, i32 3
  %b = load ptr, ptr %b.at
  %c.at = getelementptr %Method, ptr %method, i64 0, i32 4
  %c = load ptr, ptr %c.at
  %e.at = getelementptr %Method, ptr %method, i64 0, i32 5
  %e = load ptr, ptr %e.at
  %power.at = getelementptr %Method, ptr %method, i64 0, i32 8
  %power = load double, ptr %power.at
  %down = fneg double %power
  ; Working memory: stages, f, a point, another one, ratios, and what the interpolant needs.
  %rows = add i64 %stages, 1
  %k.size = mul i64 %rows, %d
  %f = getelementptr double, ptr %work, i64 %k.size
  %point = getelementptr double, ptr %f, i64 %d
  %other = getelementptr double, ptr %point, i64 %d
  %ratios = getelementptr double, ptr %other, i64 %d
  %rest = getelementptr double, ptr %ratios, i64 %d
  %last.row = mul i64 %stages, %d
  %f.new = getelementptr double, ptr %work, i64 %last.row
  %infinity = fmul double %way, 0x7FF0000000000000
  store i64 1, ptr %count.at
  %first.good = call i1 @evaluate(ptr %field, double %t0, ptr %states, ptr %f)
  br i1 %first.good, label %first, label %bad
first:
  %is.given = fcmp ogt double %given, 0.0
  br i1 %is.given, label %start, label %select
select:
  store i64 2, ptr %count.at
  %selected = call double @begin(ptr %field, ptr %method, ptr %problem, ptr %states, ptr %f,
                                 ptr %point, ptr %other, ptr %ratios)
  %usable = fcmp ogt double %selected, 0.0
  br i1 %usable, label %start, label %bad
start:
  %h.first = phi double [ %given, %first ], [ %selected, %select ]
  br label %step

step:
  %n = phi i64 [ 0, %start ], [ %n.next, %advance ]
  %t = phi double [ %t0, %start ], [ %t.new, %advance ]
  %h.wanted = phi double [ %h.first, %start ], [ %h.next, %advance ]
  %j = phi i64 [ 0, %start ], [ %j.next, %advance ]
  %y.place = mul i64 %n, %d
  %y = getelementptr double, ptr %states, i64 %y.place
  %y.new = getelementptr double, ptr %y, i64 %d
  %has.room = icmp slt i64 %n, %room
  br i1 %has.room, label %bounds, label %bad
bounds:
  %beyond = call double @nextafter(double %t, double %infinity)
  %gap = fsub double %beyond, %t
  %gap.size = call double @llvm.fabs.f64(double %gap)
  %shortest = fmul double 1.0e1, %gap.size
  %too.long = fcmp ogt double %h.wanted, %longest
  %too.short = fcmp olt double %h.wanted, %shortest
  %h.bounded = select i1 %too.short, double %shortest, double %h.wanted
  %h.begin = select i1 %too.long, double %longest, double %h.bounded
  br label %try
try:
  %h.size = phi double [ %h.begin, %bounds ], [ %h.less, %reject ]
  %rejected = phi i1 [ false, %bounds ], [ true, %reject ]
  %long.enough = fcmp oge double %h.size, %shortest
  br i1 %long.enough, label %take, label %bad
take:
  %h.signed = fmul double %h.size, %way
  %t.raw = fadd double %t, %h.signed
  %over.raw = fsub double %t.raw, %t1
  %over = fmul double %way, %over.raw
  %past = fcmp ogt double %over, 0.0
  %t.new = select i1 %past, double %t1, double %t.raw
  %h = fsub double %t.new, %t
  %h.abs = call double @llvm.fabs.f64(double %h)
  call void @copy(i64 %d, ptr %f, ptr %work)
  br label %stage
stage:
  %s = phi i64 [ 1, %take ], [ %s.next, %staged ]
  %row.place = mul i64 %s, %stride
  %row = getelementptr double, ptr %a, i64 %row.place
  call void @combine(ptr %method, i64 %d, i64 %s, ptr %work, ptr %row, ptr %other)
  call void @move(i64 %d, ptr %y, double %h, ptr %other, ptr %point)
  %c.s.at = getelementptr double, ptr %c, i64 %s
  %c.s = load double, ptr %c.s.at
  %later = fmul double %c.s, %h
  %t.stage = fadd double %t, %later
  %k.place = mul i64 %s, %d
  %k.s = getelementptr double, ptr %work, i64 %k.place
  %good = call i1 @evaluate(ptr %field, double %t.stage, ptr %point, ptr %k.s)
  br i1 %good, label %staged, label %bad
staged:
  %s.next = add i64 %s, 1
  %more.s = icmp slt i64 %s.next, %stages
  br i1 %more.s, label %stage, label %new
new:
  call void @combine(ptr %method, i64 %d, i64 %stages, ptr %work, ptr %b, ptr %other)
  call void @move(i64 %d, ptr %y, double %h, ptr %other, ptr %y.new)
  %t.end = fadd double %t, %h
  %new.good = call i1 @evaluate(ptr %field, double %t.end, ptr %y.new, ptr %f.new)
  br i1 %new.good, label %judge, label %bad
judge:
  %counted = load i64, ptr %count.at
  %counted.new = add i64 %counted, %stages
  store i64 %counted.new, ptr %count.at
  call void @combine(ptr %method, i64 %d, i64 %rows, ptr %work, ptr %e, ptr %other)
  %error = call double @size(ptr %method, ptr %problem, double %h, ptr %other, ptr null, ptr %y,
                             ptr %y.new, ptr %ratios)
  %defined = fcmp ord double %error, 0.0
  br i1 %defined, label %compare, label %bad
compare:
  %none = fcmp oeq double %error, 0.0
  %ratio.raw = call double @pow(double %error, double %down)
  %ratio = fmul double 9.0e-1, %ratio.raw
  %within = fcmp olt double %error, 1.0
  br i1 %within, label %accept, label %reject
reject:
  %cut = call double @greatest(double 2.0e-1, double %ratio)
  %h.less = fmul double %h.abs, %cut
  br label %try
accept:
  %grown = call double @least(double 1.0e1, double %ratio)
  %factor.free = select i1 %none, double 1.0e1, double %grown
  %factor.held = call double @least(double 1.0, double %factor.free)
  %factor = select i1 %rejected, double %factor.held, double %factor.free
  %h.next = fmul double %h.abs, %factor
  %n.next = add i64 %n, 1
  %t.at = getelementptr double, ptr %times, i64 %n.next
  store double %t.new, ptr %t.at
  call void @copy(i64 %d, ptr %f.new, ptr %f)
  br label %count
count:                                             ; the times asked for that this step reaches
  %j.end = phi i64 [ %j, %accept ], [ %j.more, %counting ]
  %left = icmp slt i64 %j.end, %asked
  br i1 %left, label %look, label %counted.all
look:
  %asked.at.j = getelementptr double, ptr %asked.times, i64 %j.end
  %time.j = load double, ptr %asked.at.j
  %behind = fsub double %t.new, %time.j
  %behind.signed = fmul double %way, %behind
  %reached = fcmp oge double %behind.signed, 0.0
  br i1 %reached, label %counting, label %counted.all
counting:
  %j.more = add i64 %j.end, 1
  br label %count
counted.all:
  %reaches = sub i64 %j.end, %j
  %any = icmp sgt i64 %reaches, 0
  br i1 %any, label %dense, label %advance
dense:
  %reached.times = getelementptr double, ptr %asked.times, i64 %j
  %states.place = mul i64 %j, %d
  %reached.states = getelementptr double, ptr %asked.states, i64 %states.place
  call void @interpolate(ptr %method, i64 %d, double %t, double %h, ptr %y, ptr %work,
                         i64 %reaches, ptr %reached.times, ptr %reached.states, ptr %rest)
  br label %advance
advance:
  %j.next = phi i64 [ %j, %counted.all ], [ %j.end, %dense ]
  %to.go = fsub double %t.new, %t1
  %to.go.signed = fmul double %way, %to.go
  %finished = fcmp oge double %to.go.signed, 0.0
  br i1 %finished, label %done, label %step
done:
  ret i64 %n.next
bad:
  ret i64 -1
}
