#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include "frames-server.h"
#include "frames-wire.h"

Reader *frames_reader_new (FramesServer *server, int fd, gboolean shared) {
  Reader *reader = g_new0 (Reader, 1);
  *reader = (Reader) { .fd = fd, .shared = shared, .out = g_byte_array_new (), .held = g_ptr_array_new (), .areas = g_array_new (FALSE, FALSE, sizeof (int)), .heard = g_get_monotonic_time () };
  g_mutex_lock (&server->lock);
  /* The newest frame at once: at one frame a minute the next one is far. */
  Slot *newest = g_queue_peek_tail (&server->store.ring);
  reader->next = newest != NULL ? newest->sequence : server->store.end;
  g_mutex_unlock (&server->lock);
  return reader;
}

void frames_reader_free (FramesServer *server, Reader *reader) {
  g_mutex_lock (&server->lock);
  if (reader->slot != NULL) reader->slot->refs -= 1;
  for (guint i = 0; i < reader->held->len; i += 1) {
    /* It may still be looking at these: they are never written again. */
    Slot *slot = g_ptr_array_index (reader->held, i);
    slot->refs -= 1;
    slot->retired = TRUE;
  }
  g_mutex_unlock (&server->lock);
  close (reader->fd);
  g_byte_array_unref (reader->out);
  g_ptr_array_unref (reader->held);
  g_array_unref (reader->areas);
  g_free (reader);
}

/* The next frame of a reader, with a reference; and, where it does not know the format yet, what goes before it. */
static Slot *next_frame (FramesServer *server, Reader *reader, GByteArray **preamble) {
  guint64 missed = 0;
  *preamble = NULL;
  g_mutex_lock (&server->lock);
  Slot *slot = frames_store_next (&server->store, &reader->next, &missed);
  if (slot != NULL) {
    server->missed += missed;
    server->sent += 1;
    if (reader->format != server->format) *preamble = frames_preamble (server->stream_id, server->caps, slot->time_ns);
    reader->format = server->format;
  }
  g_mutex_unlock (&server->lock);
  return slot;
}

/* Sends bytes from `*sent` on; FALSE where the socket takes no more or is gone, which errno tells apart. */
static gboolean push (Reader *reader, const guint8 *bytes, gsize size, gsize *sent) {
  while (*sent < size) {
    ssize_t taken = send (reader->fd, bytes + *sent, size - *sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken < 0) return FALSE;
    *sent += taken;
    reader->heard = g_get_monotonic_time ();
  }
  return TRUE;
}

static gboolean is_only_full (void) {
  return errno == EAGAIN || errno == EINTR;
}

static gboolean flush_words (Reader *reader) {
  if (!push (reader, reader->out->data, reader->out->len, &reader->out_sent)) return FALSE;
  g_byte_array_set_size (reader->out, 0);
  reader->out_sent = 0;
  return TRUE;
}

static gboolean serve_tcp (FramesServer *server, Reader *reader) {
  for (;;) {
    if (!flush_words (reader)) return is_only_full ();
    if (reader->slot != NULL) {
      if (!push (reader, reader->slot->memory + reader->slot->offset, reader->slot->size, &reader->slot_sent)) return is_only_full ();
      g_mutex_lock (&server->lock);
      reader->slot->refs -= 1;
      g_mutex_unlock (&server->lock);
      reader->slot = NULL;
      reader->slot_sent = 0;
    }
    GByteArray *preamble;
    reader->slot = next_frame (server, reader, &preamble);
    if (preamble != NULL) {
      g_byte_array_append (reader->out, preamble->data, preamble->len);
      g_byte_array_unref (preamble);
    }
    if (reader->slot == NULL) return TRUE;
  }
}

/* Tells a reader of a slot, and of its area where it does not know that one. */
static void hand_over (Reader *reader, Slot *slot) {
  gboolean known = FALSE;
  for (guint i = 0; i < reader->areas->len; i += 1) known |= g_array_index (reader->areas, int, i) == slot->id;
  if (!known) {
    guint path_size = strlen (slot->name) + 1;
    ShmCommand area = { .type = SHM_NEW_AREA, .area = slot->id, .is.area = { slot->capacity, path_size } };
    g_byte_array_append (reader->out, (guint8 *) &area, sizeof (area));
    g_byte_array_append (reader->out, (guint8 *) slot->name, path_size);
    g_array_append_val (reader->areas, slot->id);
  }
  ShmCommand buffer = { .type = SHM_NEW_BUFFER, .area = slot->id, .is.buffer = { slot->offset, slot->size } };
  g_byte_array_append (reader->out, (guint8 *) &buffer, sizeof (buffer));
  g_ptr_array_add (reader->held, slot);
}

void frames_reader_forget_area (Reader *reader, int id) {
  for (guint i = 0; i < reader->areas->len; i += 1) {
    if (g_array_index (reader->areas, int, i) != id) continue;
    ShmCommand close_area = { .type = SHM_CLOSE_AREA, .area = id };
    g_byte_array_append (reader->out, (guint8 *) &close_area, sizeof (close_area));
    g_array_remove_index_fast (reader->areas, i);
    return;
  }
}

static gboolean serve_shared (FramesServer *server, Reader *reader) {
  while (reader->held->len < server->store.depth) {
    GByteArray *preamble;
    Slot *slot = next_frame (server, reader, &preamble);
    if (preamble != NULL) {
      g_mutex_lock (&server->lock);
      Slot *words = frames_store_put (&server->store, preamble);
      g_mutex_unlock (&server->lock);
      g_byte_array_unref (preamble);
      if (words == NULL) {
        g_ptr_array_add (reader->held, slot);
        return FALSE;
      }
      hand_over (reader, words);
    }
    if (slot == NULL) break;
    hand_over (reader, slot);
  }
  return flush_words (reader) || is_only_full ();
}

gboolean frames_reader_serve (FramesServer *server, Reader *reader) {
  return reader->shared ? serve_shared (server, reader) : serve_tcp (server, reader);
}

/* A reader gives a slot back. Anything else it could say is a mistake of its. */
static gboolean take_back (FramesServer *server, Reader *reader, const ShmCommand *command) {
  if (command->type != SHM_ACK_BUFFER) return FALSE;
  for (guint i = 0; i < reader->held->len; i += 1) {
    Slot *slot = g_ptr_array_index (reader->held, i);
    if (slot->offset != command->is.buffer.offset) continue;
    g_ptr_array_remove_index (reader->held, i);
    g_mutex_lock (&server->lock);
    slot->refs -= 1;
    g_mutex_unlock (&server->lock);
    return TRUE;
  }
  return FALSE;
}

gboolean frames_reader_hear (FramesServer *server, Reader *reader) {
  for (;;) {
    ssize_t got = recv (reader->fd, reader->word + reader->word_bytes, sizeof (ShmCommand) - reader->word_bytes, MSG_DONTWAIT);
    if (got <= 0) return got < 0 && is_only_full ();
    /* Over TCP a reader has nothing to say. */
    if (!reader->shared) continue;
    reader->heard = g_get_monotonic_time ();
    reader->word_bytes += got;
    if (reader->word_bytes < sizeof (ShmCommand)) continue;
    ShmCommand command;
    memcpy (&command, reader->word, sizeof (command));
    reader->word_bytes = 0;
    if (!take_back (server, reader, &command)) return FALSE;
  }
}
