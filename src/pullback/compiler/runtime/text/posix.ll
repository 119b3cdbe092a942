; Locks and waiting by the threads of POSIX, which the C library has.

declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @pthread_cond_broadcast(ptr)

define internal void @prepare(ptr %lock, ptr %first, ptr %second) {
  %ignored = call i32 @pthread_mutex_init(ptr %lock, ptr null)
  %ignored.first = call i32 @pthread_cond_init(ptr %first, ptr null)
  %ignored.second = call i32 @pthread_cond_init(ptr %second, ptr null)
  ret void
}

define internal void @enter(ptr %lock) {
  %ignored = call i32 @pthread_mutex_lock(ptr %lock)
  ret void
}

define internal void @leave(ptr %lock) {
  %ignored = call i32 @pthread_mutex_unlock(ptr %lock)
  ret void
}

define internal void @wait(ptr %condition, ptr %lock) {
  %ignored = call i32 @pthread_cond_wait(ptr %condition, ptr %lock)
  ret void
}

define internal void @wake.one(ptr %condition) {
  %ignored = call i32 @pthread_cond_signal(ptr %condition)
  ret void
}

define internal void @wake.all(ptr %condition) {
  %ignored = call i32 @pthread_cond_broadcast(ptr %condition)
  ret void
}
