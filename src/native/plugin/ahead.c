/*
 * lookout_ahead_register: GIO's TCP connections of this process read ahead. rtspsrc reads a camera's packets in three parts each, a
 * system call for every one: 25 for a frame of 10 kB, a quarter of what its thread costs. From a connection of this kind it
 * gets them out of memory, filled by one call.
 */
#include <string.h>
#include <gio/gio.h>
#include "box.h"

/* A frame of a camera of 2 Mbit/s, and some. */
#define AHEAD_BYTES 32768

typedef struct {
  GInputStream parent;
  GSocket *socket;
  gsize at, end;
  guint8 *bytes;
} LookoutAhead;
typedef struct { GInputStreamClass parent; } LookoutAheadClass;

static void ahead_pollable (GPollableInputStreamInterface *interface, gpointer data);
static GType lookout_ahead_get_type (void);
G_DEFINE_TYPE_WITH_CODE (LookoutAhead, lookout_ahead, G_TYPE_INPUT_STREAM, G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, ahead_pollable))

static gssize ahead_take (LookoutAhead *self, void *to, gsize count, gboolean wait, GCancellable *cancellable, GError **error) {
  if (self->at == self->end) {
    gboolean direct = count >= AHEAD_BYTES;
    gssize got = g_socket_receive_with_blocking (self->socket, direct ? to : (gchar *) self->bytes, direct ? count : AHEAD_BYTES, wait, cancellable, error);
    if (got <= 0 || direct) return got;
    self->at = 0;
    self->end = got;
  }
  gsize taken = MIN (count, self->end - self->at);
  memcpy (to, self->bytes + self->at, taken);
  self->at += taken;
  return taken;
}

static gssize ahead_read (GInputStream *stream, void *to, gsize count, GCancellable *cancellable, GError **error) {
  return ahead_take ((LookoutAhead *) stream, to, count, TRUE, cancellable, error);
}

static gssize ahead_read_nonblocking (GPollableInputStream *stream, void *to, gsize count, GError **error) {
  return ahead_take ((LookoutAhead *) stream, to, count, FALSE, NULL, error);
}

static gboolean ahead_is_readable (GPollableInputStream *stream) {
  LookoutAhead *self = (LookoutAhead *) stream;
  return self->at < self->end || (g_socket_condition_check (self->socket, G_IO_IN) & G_IO_IN) != 0;
}

static GSource *ahead_create_source (GPollableInputStream *stream, GCancellable *cancellable) {
  LookoutAhead *self = (LookoutAhead *) stream;
  GSource *ready = self->at < self->end ? g_timeout_source_new (0) : g_socket_create_source (self->socket, G_IO_IN, NULL);
  GSource *source = g_pollable_source_new_full (stream, ready, cancellable);
  g_source_unref (ready);
  return source;
}

static void ahead_pollable (GPollableInputStreamInterface *interface, gpointer data) {
  (void) data;
  interface->is_readable = ahead_is_readable;
  interface->create_source = ahead_create_source;
  interface->read_nonblocking = ahead_read_nonblocking;
}

static void ahead_finalize (GObject *object) {
  LookoutAhead *self = (LookoutAhead *) object;
  g_clear_object (&self->socket);
  g_free (self->bytes);
  G_OBJECT_CLASS (lookout_ahead_parent_class)->finalize (object);
}

static void lookout_ahead_class_init (LookoutAheadClass *class) {
  G_OBJECT_CLASS (class)->finalize = ahead_finalize;
  G_INPUT_STREAM_CLASS (class)->read_fn = ahead_read;
}

static void lookout_ahead_init (LookoutAhead *self) {
  self->bytes = g_malloc (AHEAD_BYTES);
}

static GInputStream *connection_input (GIOStream *connection) {
  GInputStream *input = g_object_get_data (G_OBJECT (connection), "lookout-ahead");
  if (input != NULL) return input;
  LookoutAhead *ahead = g_object_new (lookout_ahead_get_type (), NULL);
  ahead->socket = g_object_ref (g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection)));
  g_object_set_data_full (G_OBJECT (connection), "lookout-ahead", ahead, g_object_unref);
  return G_INPUT_STREAM (ahead);
}

void lookout_ahead_register (void) {
  /* The class itself: GIO's table of classes (2.74) frees an entry that replaces another, and would use it all the same. */
  GIOStreamClass *class = g_type_class_ref (G_TYPE_TCP_CONNECTION);
  class->get_input_stream = connection_input;
}
