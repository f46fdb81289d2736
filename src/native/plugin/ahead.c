/*
 * lookout_ahead_register: GIO's TCP connections of this process read ahead. rtspsrc reads a camera's packets in three parts each, a
 * system call for every one: 25 for a frame of 10 kB, and five more to wait for the next. From a connection of this kind it
 * gets them out of memory, filled by one call behind one wait.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <gio/gio.h>
#include "box.h"

/* A frame of a camera of 2 Mbit/s, and some. */
#define AHEAD_BYTES 32768

typedef struct {
  GInputStream parent;
  GSocket *socket;
  gsize at, end;
  gboolean drained; /* The last call took all there was: the next one would find nothing. */
  GCancellable *cancellable;
  int cancel_fd;
  guint8 *bytes;
} LookoutAhead;
typedef struct { GInputStreamClass parent; } LookoutAheadClass;

static void ahead_pollable (GPollableInputStreamInterface *interface, gpointer data);
static GType lookout_ahead_get_type (void);
G_DEFINE_TYPE_WITH_CODE (LookoutAhead, lookout_ahead, G_TYPE_INPUT_STREAM, G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM, ahead_pollable))

static void forget_cancellable (LookoutAhead *self) {
  if (self->cancel_fd >= 0) g_cancellable_release_fd (self->cancellable);
  g_clear_object (&self->cancellable);
  self->cancel_fd = -1;
}

/* Until there is something to read. GSocket would make and close a descriptor for the cancellable each time; this one stays. */
static gboolean ahead_wait (LookoutAhead *self, GCancellable *cancellable, GError **error) {
  if (cancellable != self->cancellable) {
    forget_cancellable (self);
    if (cancellable != NULL) self->cancellable = g_object_ref (cancellable);
    if (cancellable != NULL) self->cancel_fd = g_cancellable_get_fd (cancellable);
  }
  guint seconds = g_socket_get_timeout (self->socket);
  struct pollfd fds[] = { { .fd = g_socket_get_fd (self->socket), .events = POLLIN }, { .fd = self->cancel_fd, .events = POLLIN } };
  int ready;
  do ready = poll (fds, 2, seconds > 0 ? (int) seconds * 1000 : -1); while (ready < 0 && errno == EINTR);
  if (g_cancellable_set_error_if_cancelled (cancellable, error)) return FALSE;
  if (ready == 0) g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "Socket I/O timed out");
  return ready != 0;
}

/*
 * Whether what reads as the end was a reset: the kernel tells it once, to whoever calls first, and rtspsrc sends its RTCP reports from
 * another thread. A socket whose other side only said that it has ended waits for ours (RFC 9293 §3.3.2).
 */
static gboolean was_reset (LookoutAhead *self) {
  struct tcp_info info;
  socklen_t length = sizeof (info);
  return getsockopt (g_socket_get_fd (self->socket), IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && info.tcpi_state == TCP_CLOSE;
}

static gssize ahead_take (LookoutAhead *self, void *to, gsize count, gboolean wait, GCancellable *cancellable, GError **error) {
  if (self->at == self->end) {
    gboolean direct = count >= AHEAD_BYTES;
    if (wait && self->drained && !g_socket_is_closed (self->socket) && !ahead_wait (self, cancellable, error)) return -1;
    gssize got = g_socket_receive_with_blocking (self->socket, direct ? to : (gchar *) self->bytes, direct ? count : AHEAD_BYTES, wait, cancellable, error);
    self->drained = got > 0 && got < (gssize) (direct ? count : AHEAD_BYTES);
    if (got == 0 && !g_socket_is_closed (self->socket) && was_reset (self)) {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "Connection reset by peer");
      return -1;
    }
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
  forget_cancellable (self);
  g_clear_object (&self->socket);
  g_free (self->bytes);
  G_OBJECT_CLASS (lookout_ahead_parent_class)->finalize (object);
}

static void lookout_ahead_class_init (LookoutAheadClass *class) {
  G_OBJECT_CLASS (class)->finalize = ahead_finalize;
  G_INPUT_STREAM_CLASS (class)->read_fn = ahead_read;
}

static void lookout_ahead_init (LookoutAhead *self) {
  self->cancel_fd = -1;
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
