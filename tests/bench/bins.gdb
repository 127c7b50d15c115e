# What one would type into gdb to see what the bins hold: every bin of every arena, chunk
# by chunk along its list; after $most chunks it gives up, since it would take minutes.
set pagination off
set $most = 20000
set $seen = 0
set $arena = &main_arena
set $more = 1
while $more
  set $bin = 0
  while $bin < 127 && $seen < $most
    set $head = (mchunkptr) ((char *) &$arena->bins[2 * $bin] - 16)
    set $chunk = $head->fd
    set $count = 0
    set $bytes = 0
    while $chunk != $head && $seen < $most
      set $count = $count + 1
      set $bytes = $bytes + ($chunk->mchunk_size & ~7)
      set $seen = $seen + 1
      set $chunk = $chunk->fd
    end
    if $count != 0
      printf "%p bin %d: %lu chunks, %lu bytes\n", $arena, $bin + 1, $count, $bytes
    end
    set $bin = $bin + 1
  end
  set $arena = $arena->next
  if $arena == &main_arena
    set $more = 0
  end
end
printf "seen %lu\n", $seen
