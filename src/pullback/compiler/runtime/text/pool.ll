; A pool of threads. One call of `parallel` at a time has it; the threads that help it take spans
; from a counter, and so does the caller.
;
; What the threads agree by is the gate, one number: in its upper half how many may still join the
; call, in its lower half how many have joined and not left. Who joins takes one from the upper half
; and adds one to the lower half, at once, so that nobody can join a call that is closed. What is
; said of a call is written while the gate is 0, and read after joining.

; How long a thread looks again and again for what it waits for, before it sleeps.
@rounds = internal global i64 0

; Threads that serve now; threads that there should be; and who starts them, if these differ.
@serving = internal global i64 0
@wanted = internal global i64 0
@starter = internal global ptr null

; Threads of another generation than this one are to leave.
@generation = internal global i64 0

; The call. The span that failed is the first of those that did.
@task = internal global ptr null
@frame = internal global ptr null
@spans = internal global i64 0
@limit = internal global i64 0
@failed = internal global i64 0
@error = internal global i32 0
@halt = internal global i32 0

; What several threads write has cache lines of its own.
@busy = internal global [16 x i64] zeroinitializer, align 128
@gate = internal global [16 x i64] zeroinitializer, align 128
@next = internal global [16 x i64] zeroinitializer, align 128
@sleeping = internal global [16 x i64] zeroinitializer, align 128
@waiting = internal global [16 x i64] zeroinitializer, align 128

; Of the operating system: a lock, what threads without work wait for, and what the caller does.
@lock = internal global [128 x i8] zeroinitializer, align 128
@work = internal global [128 x i8] zeroinitializer, align 128
@end = internal global [128 x i8] zeroinitializer, align 128

declare i64 @llvm.smin.i64(i64, i64)

; Begin: no threads, and no call. In a forked process the threads of the other one are not there.
define void @reset(ptr %starter, i64 %wanted) {
  store ptr %starter, ptr @starter
  store i64 0, ptr @serving
  store i64 %wanted, ptr @wanted
  store i64 0, ptr @busy
  store i64 0, ptr @gate
  store i64 0, ptr @sleeping
  store i64 0, ptr @waiting
  %old = atomicrmw add ptr @generation, i64 1 seq_cst
  call void @prepare(ptr @lock, ptr @work, ptr @end)
  ret void
}

; So many threads have been started, and no more are wanted.
define void @enlist(i64 %count, i64 %rounds) {
  store atomic i64 %rounds, ptr @rounds monotonic, align 8
  store atomic i64 %count, ptr @serving seq_cst, align 8
  store atomic i64 %count, ptr @wanted seq_cst, align 8
  ret void
}

; Let all threads leave, as soon as they have nothing to do; the number of the next generation.
define i64 @dismiss() {
  store atomic i64 0, ptr @serving seq_cst, align 8
  %old = atomicrmw add ptr @generation, i64 1 seq_cst
  call void @pass()
  call void @wake.all(ptr @work)
  %new = add i64 %old, 1
  ret i64 %new
}

; Look so many times; of no use but to be timed.
define void @look(i64 %rounds) {
entry:
  br label %head
head:
  %n = phi i64 [ 0, %entry ], [ %n.next, %head ]
  %ignored = load atomic i64, ptr @gate seq_cst, align 8
  call void @pause()
  %n.next = add i64 %n, 1
  %more = icmp slt i64 %n.next, %rounds
  br i1 %more, label %head, label %done
done:
  ret void
}

; Call the task for all spans, until one fails.
define internal i32 @alone(ptr %task, ptr %frame, i64 %spans) {
entry:
  br label %head
head:
  %span = phi i64 [ 0, %entry ], [ %span.next, %good ]
  %more = icmp slt i64 %span, %spans
  br i1 %more, label %body, label %done
body:
  %error = call i32 %task(ptr %frame, i64 %span, i64 0)
  %is.good = icmp eq i32 %error, 0
  br i1 %is.good, label %good, label %bad
good:
  %span.next = add i64 %span, 1
  br label %head
bad:
  ret i32 %error
done:
  ret i32 0
}

; Call the task for spans that nobody has taken, until there are none.
define internal void @share(i64 %worker) {
entry:
  %task = load ptr, ptr @task
  %frame = load ptr, ptr @frame
  %spans = load i64, ptr @spans
  br label %head
head:
  %span = atomicrmw add ptr @next, i64 1 monotonic
  %more = icmp slt i64 %span, %spans
  br i1 %more, label %body, label %done
body:
  %error = call i32 %task(ptr %frame, i64 %span, i64 %worker)
  %is.good = icmp eq i32 %error, 0
  br i1 %is.good, label %head, label %bad
bad:
  ; An interrupt ends what others are at, too; `halted` tells them.
  %is.interrupt = icmp eq i32 %error, -2
  %halt = zext i1 %is.interrupt to i32
  %before.halt = atomicrmw or ptr @halt, i32 %halt seq_cst
  ; The others take no more. All spans before this one have been taken, so that the first failure
  ; is the one that there would be without threads.
  %taken = atomicrmw max ptr @next, i64 %spans monotonic
  call void @enter(ptr @lock)
  %failed = load i64, ptr @failed
  %is.first = icmp slt i64 %span, %failed
  br i1 %is.first, label %note, label %noted
note:
  store i64 %span, ptr @failed
  store i32 %error, ptr @error
  br label %noted
noted:
  call void @leave(ptr @lock)
  ret void
done:
  ret void
}

; Take the lock and give it back: who has looked in vain under the lock then sleeps, and can be
; woken; without the lock, as the other one needs it.
define internal void @pass() {
  call void @enter(ptr @lock)
  call void @leave(ptr @lock)
  ret void
}

; Wake threads that sleep, two at most: each wakes two more, when it has joined.
define internal void @rouse(i64 %room) {
entry:
  %sleeping = load atomic i64, ptr @sleeping seq_cst, align 8
  %count = call i64 @llvm.smin.i64(i64 %room, i64 %sleeping)
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %one, label %done
one:
  call void @pass()
  call void @wake.one(ptr @work)
  %more = icmp sgt i64 %count, 1
  br i1 %more, label %two, label %done
two:
  call void @wake.one(ptr @work)
  br label %done
done:
  ret void
}

; Wait until the threads that have joined have left.
define internal void @finish() {
entry:
  %rounds = load atomic i64, ptr @rounds monotonic, align 8
  br label %look
look:
  %n = phi i64 [ 0, %entry ], [ %n.next, %again ]
  %now = load atomic i64, ptr @gate seq_cst, align 8
  %empty = icmp eq i64 %now, 0
  br i1 %empty, label %done, label %looked
looked:
  %patient = icmp slt i64 %n, %rounds
  br i1 %patient, label %again, label %sleep
again:
  call void @pause()
  %n.next = add i64 %n, 1
  br label %look
sleep:
  call void @enter(ptr @lock)
  ; Who leaves last looks for this after leaving; so either that one sees it, or this one the end.
  store atomic i64 1, ptr @waiting seq_cst, align 8
  br label %check
check:
  %then = load atomic i64, ptr @gate seq_cst, align 8
  %left = icmp eq i64 %then, 0
  br i1 %left, label %awake, label %wait
wait:
  call void @wait(ptr @end, ptr @lock)
  br label %check
awake:
  store atomic i64 0, ptr @waiting seq_cst, align 8
  call void @leave(ptr @lock)
  br label %done
done:
  ret void
}

; Call task(frame, span, worker) for each span, on so many threads at most, the caller's among them.
define i32 @parallel(ptr %task, ptr %frame, i64 %spans, i64 %workers) {
entry:
  %useful = call i64 @llvm.smin.i64(i64 %spans, i64 %workers)
  %several = icmp sgt i64 %useful, 1
  br i1 %several, label %ask, label %serially
ask:
  %is = load atomic i64, ptr @serving seq_cst, align 8
  %should = load atomic i64, ptr @wanted seq_cst, align 8
  %lacking = icmp ne i64 %is, %should
  br i1 %lacking, label %start, label %count
start:
  %starter = load ptr, ptr @starter
  call void %starter()
  br label %count
count:
  %serving = load atomic i64, ptr @serving seq_cst, align 8
  %others = sub i64 %useful, 1
  %helpers = call i64 @llvm.smin.i64(i64 %others, i64 %serving)
  %some = icmp sgt i64 %helpers, 0
  br i1 %some, label %take, label %serially
take:
  ; Who finds the pool taken, a task that calls this among others, works without it.
  %pair = cmpxchg ptr @busy, i64 0, i64 1 seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %pair, 1
  br i1 %mine, label %open, label %serially
open:
  store ptr %task, ptr @task
  store ptr %frame, ptr @frame
  store i64 %spans, ptr @spans
  store i64 %spans, ptr @failed
  store i32 0, ptr @error
  store atomic i32 0, ptr @halt seq_cst, align 4
  %limit = add i64 %helpers, 1
  store i64 %limit, ptr @limit
  store atomic i64 0, ptr @next monotonic, align 8
  %room = shl i64 %helpers, 32
  ; Who falls asleep counts itself before it looks at the gate: either that one sees it open, or
  ; this one sees somebody to wake.
  store atomic i64 %room, ptr @gate seq_cst, align 8
  call void @rouse(i64 %helpers)
  call void @share(i64 0)
  %before = atomicrmw and ptr @gate, i64 4294967295 seq_cst
  call void @finish()
  %error = load i32, ptr @error
  store atomic i64 0, ptr @busy seq_cst, align 8
  ret i32 %error
serially:
  %alone = call i32 @alone(ptr %task, ptr %frame, i64 %spans)
  ret i32 %alone
}

; Whether a task of the call that has the pool was interrupted.
define i32 @halted() {
  %halt = load atomic i32, ptr @halt seq_cst, align 4
  ret i32 %halt
}

; What a thread of the pool does until it is to leave.
define void @serve(i64 %mine) {
entry:
  br label %idle
idle:
  %rounds = load atomic i64, ptr @rounds monotonic, align 8
  br label %look
look:
  %n = phi i64 [ 0, %idle ], [ %n.next, %again ]
  %now = load atomic i64, ptr @gate seq_cst, align 8
  %room.now = lshr i64 %now, 32
  %is.open = icmp ne i64 %room.now, 0
  br i1 %is.open, label %join, label %still
still:
  %current = load atomic i64, ptr @generation seq_cst, align 8
  %stays = icmp eq i64 %current, %mine
  br i1 %stays, label %looked, label %gone
looked:
  %patient = icmp slt i64 %n, %rounds
  br i1 %patient, label %again, label %sleep
again:
  call void @pause()
  %n.next = add i64 %n, 1
  br label %look

sleep:
  call void @enter(ptr @lock)
  %counted = atomicrmw add ptr @sleeping, i64 1 seq_cst
  br label %check
check:
  %then = load atomic i64, ptr @gate seq_cst, align 8
  %room.then = lshr i64 %then, 32
  %closed = icmp eq i64 %room.then, 0
  %current.then = load atomic i64, ptr @generation seq_cst, align 8
  %stays.then = icmp eq i64 %current.then, %mine
  %sleeps = and i1 %closed, %stays.then
  br i1 %sleeps, label %wait, label %awake
wait:
  call void @wait(ptr @work, ptr @lock)
  br label %check
awake:
  %uncounted = atomicrmw sub ptr @sleeping, i64 1 seq_cst
  call void @leave(ptr @lock)
  br label %idle

join:
  ; -2³² + 1
  %joined = add i64 %now, -4294967295
  %pair = cmpxchg ptr @gate, i64 %now, i64 %joined seq_cst seq_cst
  %is.in = extractvalue { i64, i1 } %pair, 1
  br i1 %is.in, label %in, label %idle
in:
  %limit = load i64, ptr @limit
  %worker = sub i64 %limit, %room.now
  %room.left = sub i64 %room.now, 1
  call void @rouse(i64 %room.left)
  call void @share(i64 %worker)
  br label %out
out:
  ; Nothing is left to take, so nobody else needs to join.
  %last = load atomic i64, ptr @gate seq_cst, align 8
  %present = and i64 %last, 4294967295
  %remaining = sub i64 %present, 1
  %pair.out = cmpxchg ptr @gate, i64 %last, i64 %remaining seq_cst seq_cst
  %is.out = extractvalue { i64, i1 } %pair.out, 1
  br i1 %is.out, label %left, label %out
left:
  %is.last = icmp eq i64 %remaining, 0
  br i1 %is.last, label %tell, label %idle
tell:
  %waiting = load atomic i64, ptr @waiting seq_cst, align 8
  %heard = icmp ne i64 %waiting, 0
  br i1 %heard, label %wake, label %idle
wake:
  call void @pass()
  call void @wake.one(ptr @end)
  br label %idle

gone:
  ret void
}
