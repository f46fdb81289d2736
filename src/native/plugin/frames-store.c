#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "frames-store.h"

/* The ring keeps this much, and at least two frames: a reader that is held up for a moment misses none. */
#define RING_BYTES (16 * 1024 * 1024)
#define MOST_KEPT 8
/* So many rings of memory, that of the newest frames included, are left to readers that hold frames. */
#define CROWDED 3
/* shmsrc gives a buffer back by the id of the newest area it knows, whatever the buffer's own (GStreamer 1.22, sp_client_recv_finish); only the offset tells which one it was. So no two slots have the same. */
#define OFFSETS 512

void frames_store_init (FramesStore *store) {
  *store = (FramesStore) { .slots = g_ptr_array_new (), .depth = 2, .next_id = 1 };
  g_queue_init (&store->ring);
}

void frames_store_fit (FramesStore *store, gsize frame_bytes) {
  store->depth = CLAMP (RING_BYTES / (frame_bytes + 1), 2, MOST_KEPT);
}

static Slot *make_slot (FramesStore *store, gsize bytes) {
  char *name = g_strdup_printf ("/%s%d", store->prefix, store->next_id);
  gsize start = FRAME_ALIGN * (1 + store->next_id % OFFSETS), page = start & ~(gsize) 4095;
  int fd = shm_open (name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (fd < 0) {
    g_free (name);
    return NULL;
  }
  /* ftruncate alone would promise memory that a full tmpfs does not have: SIGBUS. */
  void *memory = posix_fallocate (fd, page, start - page + bytes) == 0 ? mmap (NULL, start + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  close (fd);
  if (memory == MAP_FAILED) {
    shm_unlink (name);
    g_free (name);
    return NULL;
  }
  Slot *slot = g_new0 (Slot, 1);
  *slot = (Slot) { .id = store->next_id++, .name = name, .memory = memory, .capacity = start + bytes, .start = start, .room = bytes };
  g_ptr_array_add (store->slots, slot);
  return slot;
}

void frames_store_destroy (FramesStore *store, Slot *slot) {
  munmap (slot->memory, slot->capacity);
  shm_unlink (slot->name);
  g_free (slot->name);
  g_ptr_array_remove_fast (store->slots, slot);
  g_free (slot);
}

static Slot *idle_slot (FramesStore *store, gsize bytes) {
  for (guint i = 0; i < store->slots->len; i += 1) {
    Slot *slot = g_ptr_array_index (store->slots, i);
    if (slot->refs == 0 && !slot->retired && slot->room == bytes) return slot;
  }
  return NULL;
}

static void drop_oldest (FramesStore *store) {
  ((Slot *) g_queue_pop_head (&store->ring))->refs -= 1;
}

Slot *frames_store_take (FramesStore *store, gsize bytes) {
  while (store->ring.length >= store->depth) drop_oldest (store);
  Slot *found = idle_slot (store, bytes);
  /* Room beyond what makes somebody go, so that nobody else loses a frame meanwhile. */
  if (found == NULL && store->slots->len < store->depth * (CROWDED + 2)) found = make_slot (store, bytes);
  /* A small /dev/shm holds fewer frames. */
  while (found == NULL && store->ring.length > 0) {
    drop_oldest (store);
    found = idle_slot (store, bytes);
  }
  if (found != NULL) found->refs = 1;
  return found;
}

Slot *frames_store_put (FramesStore *store, const GByteArray *bytes) {
  Slot *slot = make_slot (store, bytes->len);
  if (slot == NULL) return NULL;
  memcpy (slot->memory + slot->start, bytes->data, bytes->len);
  slot->offset = slot->start;
  slot->size = bytes->len;
  slot->refs = 1;
  slot->retired = TRUE;
  return slot;
}

void frames_store_keep (FramesStore *store, Slot *slot) {
  g_queue_push_tail (&store->ring, slot);
}

Slot *frames_store_next (FramesStore *store, guint64 *next, guint64 *missed) {
  for (GList *link = store->ring.head; link != NULL; link = link->next) {
    Slot *slot = link->data;
    if (slot->sequence < *next) continue;
    *missed = slot->sequence - *next;
    *next = slot->sequence + 1;
    slot->refs += 1;
    return slot;
  }
  return NULL;
}

void frames_store_trim (FramesStore *store, gsize bytes) {
  guint idle = 0;
  for (guint i = 0; i < store->slots->len; i += 1) {
    Slot *slot = g_ptr_array_index (store->slots, i);
    if (slot->refs == 0 && !slot->retired && (slot->room != bytes || ++idle > store->depth)) slot->retired = TRUE;
  }
}

gboolean frames_store_is_crowded (const FramesStore *store) {
  guint used = 0;
  for (guint i = 0; i < store->slots->len; i += 1) used += ((Slot *) g_ptr_array_index (store->slots, i))->refs > 0;
  return used > store->depth * CROWDED;
}

void frames_store_clear (FramesStore *store) {
  while (store->slots->len > 0) frames_store_destroy (store, g_ptr_array_index (store->slots, 0));
  g_queue_clear (&store->ring);
  g_ptr_array_unref (store->slots);
  store->slots = NULL;
}
