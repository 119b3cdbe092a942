"""LLVM text of what runs tiles: spans on threads or one by one, and joins their sums."""

__all__ = ["HALTED", "PARALLEL", "POLL", "SPAN", "SPANS", "SYMBOLS", "TOTAL", "WORKERS"]

POLL, PARALLEL, WORKERS, HALTED, SYMBOLS = range(2, 7)
"""Where the context has the function that looks for signals, that which runs spans on several
threads, the number of these, the function that says that they are to end, and what follows."""

SPANS = f"""\
define internal i32 @pb.spans(ptr %task, ptr %record, i64 %spans, i64 %workers, ptr %context) #1 {{
  %alone = icmp ule i64 %workers, 1
  %single = icmp ule i64 %spans, 1
  %serial = or i1 %alone, %single
  br i1 %serial, label %before, label %several
several:
  %slot = getelementptr i64, ptr %context, i64 {PARALLEL}
  %parallel = load ptr, ptr %slot, align 8
  %answer = call i32 %parallel(ptr %task, ptr %record, i64 %spans, i64 %workers)
  ret i32 %answer
before:
  br label %head
head:
  %i = phi i64 [ 0, %before ], [ %next, %latch ]
  %more = icmp ult i64 %i, %spans
  br i1 %more, label %body, label %done
body:
  %code = call i32 %task(ptr %record, i64 %i, i64 0)
  %failed = icmp ne i32 %code, 0
  br i1 %failed, label %leave, label %latch
latch:
  %next = add i64 %i, 1
  br label %head
leave:
  ret i32 %code
done:
  ret i32 0
}}"""
"""A task for each span."""

SPAN = """\
  %from = mul i64 %span, {length}
  %behind = add i64 %from, {length}
  %cut = icmp ult i64 %behind, {blocks}
  %to = select i1 %cut, i64 %behind, i64 {blocks}
  %rounded = add i64 {extent}, {tile}
  %upper = sub i64 %rounded, 1
  %tiles = udiv i64 %upper, {tile}
  br label %start
start:
  br label %block.head
block.head:
  %b = phi i64 [ %from, %start ], [ %b.next, %block.latch ]
  %depth = phi i64 [ 0, %start ], [ %d, %block.latch ]
  %b.more = icmp ult i64 %b, %to
  br i1 %b.more, label %block.body, label %fold.head
block.body:
  %sums.at = mul i64 %depth, {sums}
  %sums = getelementptr i8, ptr {stack}, i64 %sums.at
  %cleared = call i32 @{name}.clear(ptr %holes, ptr %sums)
  %t.from = mul i64 %b, {block}
  %t.behind = add i64 %t.from, {block}
  %t.cut = icmp ult i64 %t.behind, %tiles
  %t.to = select i1 %t.cut, i64 %t.behind, i64 %tiles
  br label %tile.head
tile.head:
  %t = phi i64 [ %t.from, %block.body ], [ %t.next, %tile.latch ]
  %t.more = icmp ult i64 %t, %t.to
  br i1 %t.more, label %tile.body, label %joins
tile.body:
  %first = mul i64 %t, {tile}
  %left = sub i64 {extent}, %first
  %fewer = icmp ult i64 %left, {tile}
  %count = select i1 %fewer, i64 %left, i64 {tile}
  %code = call i32 @{name}.tile({given}, ptr %sums, i64 %first, i64 %count)
  %failed = icmp ne i32 %code, 0
  br i1 %failed, label %leave, label %tile.latch
tile.latch:
  %t.next = add i64 %t, 1
  br label %tile.head
leave:
  ret i32 %code
joins:
  %b.next = add i64 %b, 1
  %n = sub i64 %b.next, %from
  %deeper = add i64 %depth, 1
  br label %join.head
join.head:
  %k = phi i64 [ %n, %joins ], [ %k.half, %join.body ]
  %d = phi i64 [ %deeper, %joins ], [ %d.less, %join.body ]
  %lowest = and i64 %k, 1
  %waits = icmp ne i64 %lowest, 0
  br i1 %waits, label %look, label %join.body
join.body:
  %k.half = lshr i64 %k, 1
  %d.less = sub i64 %d, 1
  %d.into = sub i64 %d, 2
  %into.at = mul i64 %d.into, {sums}
  %into = getelementptr i8, ptr {stack}, i64 %into.at
  %other.at = mul i64 %d.less, {sums}
  %other = getelementptr i8, ptr {stack}, i64 %other.at
  %joined = call i32 @{name}.join(ptr %holes, ptr %into, ptr %other)
  br label %join.head
look:
  %low = and i64 %b, 15
  %due = icmp eq i64 %low, 15
  br i1 %due, label %poll, label %block.latch
poll:
  %stop = call i32 @pb.poll(ptr %context)
  %stopped = icmp ne i32 %stop, 0
  br i1 %stopped, label %interrupted, label %block.latch
interrupted:
  ret i32 %stop
block.latch:
  br label %block.head
fold.head:
  %f = phi i64 [ %depth, %block.head ], [ %f.less, %fold.body ]
  %several = icmp ugt i64 %f, 1
  br i1 %several, label %fold.body, label %keep
fold.body:
  %f.less = sub i64 %f, 1
  %f.into = sub i64 %f, 2
  %f.into.at = mul i64 %f.into, {sums}
  %f.left = getelementptr i8, ptr {stack}, i64 %f.into.at
  %f.at = mul i64 %f.less, {sums}
  %f.right = getelementptr i8, ptr {stack}, i64 %f.at
  %folded = call i32 @{name}.join(ptr %holes, ptr %f.left, ptr %f.right)
  br label %fold.head
keep:
  %result.at = mul i64 %span, {sums}
  %result = getelementptr i8, ptr {results}, i64 %result.at
  call void @llvm.memcpy.p0.p0.i64(ptr align 64 %result, ptr align 64 {stack}, i64 {sums}, i1 false)
  ret i32 0"""
"""The blocks of a span, and joining their sums: the body of a function."""

TOTAL = """\
  br label %start
start:
  %none = icmp eq i64 %spans, 0
  br i1 %none, label %empty, label %round.head
empty:
  %cleared = call i32 @{name}.clear(ptr %holes, ptr {results})
  ret void
round.head:
  %stride = phi i64 [ 1, %start ], [ %width, %round.latch ]
  %more = icmp ult i64 %stride, %spans
  br i1 %more, label %round.body, label %done
round.body:
  %width = shl i64 %stride, 1
  br label %pair.head
pair.head:
  %i = phi i64 [ 0, %round.body ], [ %i.next, %pair.body ]
  %j = add i64 %i, %stride
  %both = icmp ult i64 %j, %spans
  br i1 %both, label %pair.body, label %round.latch
pair.body:
  %i.next = add i64 %i, %width
  %i.at = mul i64 %i, {sums}
  %into = getelementptr i8, ptr {results}, i64 %i.at
  %j.at = mul i64 %j, {sums}
  %other = getelementptr i8, ptr {results}, i64 %j.at
  %joined = call i32 @{name}.join(ptr %holes, ptr %into, ptr %other)
  br label %pair.head
round.latch:
  br label %round.head
done:
  ret void"""
"""Joining the sums of all spans in the first one: the body of a function."""
