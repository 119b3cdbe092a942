; Locks and waiting by Windows; both are zeros in the beginning.

declare void @InitializeSRWLock(ptr)
declare void @AcquireSRWLockExclusive(ptr)
declare void @ReleaseSRWLockExclusive(ptr)
declare void @InitializeConditionVariable(ptr)
declare i32 @SleepConditionVariableSRW(ptr, ptr, i32, i32)
declare void @WakeConditionVariable(ptr)
declare void @WakeAllConditionVariable(ptr)

define internal void @prepare(ptr %lock, ptr %first, ptr %second) {
  call void @InitializeSRWLock(ptr %lock)
  call void @InitializeConditionVariable(ptr %first)
  call void @InitializeConditionVariable(ptr %second)
  ret void
}

define internal void @enter(ptr %lock) {
  call void @AcquireSRWLockExclusive(ptr %lock)
  ret void
}

define internal void @leave(ptr %lock) {
  call void @ReleaseSRWLockExclusive(ptr %lock)
  ret void
}

define internal void @wait(ptr %condition, ptr %lock) {
  ; Without a limit of time.
  %ignored = call i32 @SleepConditionVariableSRW(ptr %condition, ptr %lock, i32 -1, i32 0)
  ret void
}

define internal void @wake.one(ptr %condition) {
  call void @WakeConditionVariable(ptr %condition)
  ret void
}

define internal void @wake.all(ptr %condition) {
  call void @WakeAllConditionVariable(ptr %condition)
  ret void
}
