/* Frames in shared memory: each in an area of its own, counted, so that no reader ever sees one change under its hands. Not locked. */
#ifndef LOOKOUT_FRAMES_STORE_H
#define LOOKOUT_FRAMES_STORE_H
#include <gst/gst.h>

/* Frames are aligned to this, their headers right before them. */
#define FRAME_ALIGN 64

typedef struct {
  int id;
  char *name; /* for shm_open */
  guint8 *memory;
  gsize capacity;
  gsize start; /* of its frame; `room` bytes from there on */
  gsize room;
  gsize offset, size; /* what is sent of it */
  guint64 sequence, time_ns;
  guint refs;
  gboolean retired; /* is never written again, and goes with its last reference */
} Slot;

typedef struct {
  char *prefix; /* of the names of areas */
  int next_id;
  GPtrArray *slots;
  GQueue ring; /* the newest frames, oldest first; one reference each */
  guint depth;
  guint64 end; /* number of the next frame */
} FramesStore;

void frames_store_init (FramesStore *store);
void frames_store_clear (FramesStore *store);
/* Bounds what is kept, for frames of that size. */
void frames_store_fit (FramesStore *store, gsize frame_bytes);

/* A slot that nobody uses, with one reference, or NULL where there is no memory for one. */
Slot *frames_store_take (FramesStore *store, gsize bytes);
/* A slot for bytes that are sent once. */
Slot *frames_store_put (FramesStore *store, const GByteArray *bytes);
/* Puts a frame at the end of the ring, with the reference that came with it. */
void frames_store_keep (FramesStore *store, Slot *slot);
/* The frame at `*next` or, where that is gone, the oldest one that is there, with a reference; NULL where all was seen. */
Slot *frames_store_next (FramesStore *store, guint64 *next, guint64 *missed);
/* Retires idle slots beyond the depth, and those of another size. */
void frames_store_trim (FramesStore *store, gsize bytes);
void frames_store_destroy (FramesStore *store, Slot *slot);
/* Whether readers hold so much that one of them has to go. */
gboolean frames_store_is_crowded (const FramesStore *store);

#endif
