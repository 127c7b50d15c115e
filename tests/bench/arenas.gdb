# What one would type into gdb to see the arenas: attached threads, system bytes, top.
set pagination off
set $arena = &main_arena
set $more = 1
while $more
  printf "%p attached %lu system %lu top %p %lu\n", $arena, $arena->attached_threads, $arena->system_mem, $arena->top, ($arena->top->mchunk_size & ~7)
  set $arena = $arena->next
  if $arena == &main_arena
    set $more = 0
  end
end
