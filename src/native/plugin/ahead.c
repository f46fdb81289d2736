/*
 * lookout_ahead_register: GIO's TCP connections of this process read ahead. rtspsrc reads a camera's packets in three parts each, a
 * system call for every one: 25 for a frame of 10 kB, a quarter of what its thread costs. From a connection of this kind it
 * gets them out of memory, filled by one call. GIO asks a table which class a connection is of, and that is where it is put.
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
  guint8 bytes[AHEAD_BYTES];
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
  g_clear_object (&((LookoutAhead *) object)->socket);
  G_OBJECT_CLASS (lookout_ahead_parent_class)->finalize (object);
}

static void lookout_ahead_class_init (LookoutAheadClass *class) {
  G_OBJECT_CLASS (class)->finalize = ahead_finalize;
  G_INPUT_STREAM_CLASS (class)->read_fn = ahead_read;
}

static void lookout_ahead_init (LookoutAhead *self) {
  (void) self;
}

typedef struct { GTcpConnection parent; GInputStream *input; } LookoutConnection;
typedef struct { GTcpConnectionClass parent; } LookoutConnectionClass;

static GType lookout_connection_get_type (void);
G_DEFINE_TYPE (LookoutConnection, lookout_connection, G_TYPE_TCP_CONNECTION)

static GInputStream *connection_input (GIOStream *stream) {
  LookoutConnection *self = (LookoutConnection *) stream;
  if (self->input == NULL) {
    LookoutAhead *ahead = g_object_new (lookout_ahead_get_type (), NULL);
    ahead->socket = g_object_ref (g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)));
    self->input = G_INPUT_STREAM (ahead);
  }
  return self->input;
}

static void connection_finalize (GObject *object) {
  g_clear_object (&((LookoutConnection *) object)->input);
  G_OBJECT_CLASS (lookout_connection_parent_class)->finalize (object);
}

static void lookout_connection_class_init (LookoutConnectionClass *class) {
  G_OBJECT_CLASS (class)->finalize = connection_finalize;
  G_IO_STREAM_CLASS (class)->get_input_stream = connection_input;
}

static void lookout_connection_init (LookoutConnection *self) {
  (void) self;
}

void lookout_ahead_register (void) {
  static const GSocketFamily families[] = { G_SOCKET_FAMILY_IPV4, G_SOCKET_FAMILY_IPV6 };
  /* GIO's own class puts itself into the table when it is made; ours, which needs it, comes behind. */
  GType type = lookout_connection_get_type ();
  g_type_class_unref (g_type_class_ref (type));
  for (guint i = 0; i < G_N_ELEMENTS (families); i += 1) g_socket_connection_factory_register_type (type, families[i], G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT);
}
