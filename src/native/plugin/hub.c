/*
 * lookouthub: a sink for H.264 access units (stream-format avc) that keeps the latest GOP and serves it on a TCP port of
 * 127.0.0.1: each client gets the latest keyframe first, then everything after it, as RTP (RFC 6184) framed by RFC 4571.
 * Another one, beside it, does so for sound since that keyframe: AAC (RFC 3640) and G.711, at 90 kHz like the video.
 *
 * While no client is there it costs a reference a frame: units are kept as they are, and become packets for a client when
 * that client reads. A client that does not read is jumped to the latest keyframe and costs nobody else a byte.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <gst/base/gstbasesink.h>
#include "hub-packets.h"
#include "hub-units.h"
#include "parameter-sets.h"
#include "rest.h"

/* At the end clients get what is kept, if they take it within this. */
#define FLUSH_MS 100

typedef struct {
  int fd;
  guint64 next;
  HubStream stream;
  GByteArray *out;
  gsize sent;
} Client;

typedef struct {
  GstBaseSink parent;
  Notes *notes;
  guint timestamp_offset, soft_bytes;
  guint32 timestamp; /* of the newest unit */
  gint wanted_port, port;
  int listener, wake;
  GThread *thread;
  GArray *clients; /* The thread's own, as is what follows. */
  gboolean reads;  /* Its source does not rest for its clients' sake. */
  GMutex lock;     /* Guards what follows. */
  gboolean running;
  guint readers;
  HubUnits units;
  GBytes *parameter_sets;
  guint length_size;
  HubKind kind;
  guint keyframes; /* of the video, as a hub of sound last saw them */
} LookoutHub;
typedef struct { GstBaseSinkClass parent; } LookoutHubClass;
enum { PROP_CURRENT_PORT = 1, PROP_PORT, PROP_TIMESTAMP_OFFSET, PROP_SOFT_BYTES, PROP_SOUND };

G_DEFINE_TYPE (LookoutHub, lookout_hub, GST_TYPE_BASE_SINK)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-h264,stream-format=avc,alignment=au; audio/mpeg,mpegversion=4,stream-format=raw; audio/x-mulaw; audio/x-alaw"));

/* Sound is kept from where the keyframe before the latest came: who reads both may have begun the video with either. */
static gboolean begins (LookoutHub *self, GstBuffer *buffer) {
  if (self->kind == HUB_VIDEO) return !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  guint keyframes = __atomic_load_n (&self->notes->keyframes, __ATOMIC_ACQUIRE);
  gboolean is_new = keyframes != self->keyframes;
  self->keyframes = keyframes;
  return is_new;
}

/* The parameter sets that a keyframe needs; a new reference. To look into a buffer of many pieces is to copy it: only where there is a choice. */
static GBytes *sets_of (LookoutHub *self, GstBuffer *buffer) {
  GstMapInfo map;
  if (!parameter_sets_differ (self->parameter_sets) || !gst_buffer_map (buffer, &map, GST_MAP_READ)) return g_bytes_ref (self->parameter_sets);
  GBytes *sets = parameter_sets_in_use (self->parameter_sets, map.data, map.size, self->length_size);
  gst_buffer_unmap (buffer, &map);
  return sets;
}

static GstFlowReturn hub_render (GstBaseSink *sink, GstBuffer *buffer) {
  LookoutHub *self = (LookoutHub *) sink;
  GstClockTime running = gst_segment_to_running_time (&sink->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  HubUnit unit = { .buffer = gst_buffer_ref (buffer), .kind = self->kind, .keyframe = begins (self, buffer) };
  /* A frame without a time is shown with the one before it. */
  if (GST_CLOCK_TIME_IS_VALID (running)) self->timestamp = self->timestamp_offset + (guint32) gst_util_uint64_scale (running, 90000, GST_SECOND);
  unit.timestamp = self->timestamp;
  g_mutex_lock (&self->lock);
  unit.length_size = self->length_size;
  if (unit.keyframe && self->parameter_sets != NULL) unit.parameter_sets = sets_of (self, buffer);
  hub_units_keep (&self->units, unit, self->soft_bytes, self->readers > 0);
  gboolean wanted = self->readers > 0;
  g_mutex_unlock (&self->lock);
  if (wanted) eventfd_write (self->wake, 1);
  return GST_FLOW_OK;
}

static gboolean hub_set_caps (GstBaseSink *sink, GstCaps *caps) {
  LookoutHub *self = (LookoutHub *) sink;
  const GstStructure *format = gst_caps_get_structure (caps, 0);
  self->kind = gst_structure_has_name (format, "video/x-h264") ? HUB_VIDEO : gst_structure_has_name (format, "audio/mpeg") ? HUB_AAC : HUB_G711;
  self->units.earlier = self->kind != HUB_VIDEO;
  if (self->kind != HUB_VIDEO) return TRUE;
  const GValue *value = gst_structure_get_value (format, "codec_data");
  GstBuffer *data = value != NULL && GST_VALUE_HOLDS_BUFFER (value) ? gst_value_get_buffer (value) : NULL;
  if (data == NULL) return FALSE;
  guint length_size = 4;
  GBytes *sets = hub_parameter_sets (data, &length_size);
  g_mutex_lock (&self->lock);
  g_clear_pointer (&self->parameter_sets, g_bytes_unref);
  self->parameter_sets = sets;
  self->length_size = length_size;
  g_mutex_unlock (&self->lock);
  return TRUE;
}

/* What is kept is old from now on: nobody reads, and who comes gets the GOP that is kept elsewhere (rest.c). */
static gboolean hub_event (GstBaseSink *sink, GstEvent *event) {
  LookoutHub *self = (LookoutHub *) sink;
  if (gst_event_has_name (event, LOOKOUT_REST_EVENT)) {
    g_mutex_lock (&self->lock);
    hub_units_drop_before (&self->units, self->units.end);
    self->units.keyframe = self->units.latest = AT_NEXT_KEYFRAME;
    g_mutex_unlock (&self->lock);
  }
  return GST_BASE_SINK_CLASS (lookout_hub_parent_class)->event (sink, event);
}

/* ---- the thread that serves ---- */

/* The next unit of a client, with references of its own; FALSE where it has everything. */
static gboolean next_unit (LookoutHub *self, Client *client, HubUnit *unit) {
  g_mutex_lock (&self->lock);
  gboolean found = hub_units_next (&self->units, &client->next, unit);
  g_mutex_unlock (&self->lock);
  return found;
}

/* Sends until the socket is full or nothing is left; FALSE where the client is gone. */
static gboolean serve (LookoutHub *self, Client *client) {
  for (;;) {
    while (client->sent < client->out->len) {
      ssize_t sent = send (client->fd, client->out->data + client->sent, client->out->len - client->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) return errno == EAGAIN || errno == EINTR;
      client->sent += sent;
    }
    g_byte_array_set_size (client->out, 0);
    client->sent = 0;
    HubUnit unit;
    if (!next_unit (self, client, &unit)) return TRUE;
    hub_packetize (&client->stream, &unit, client->out);
    hub_unit_clear (&unit);
  }
}

static void forget_client (LookoutHub *self, guint index) {
  Client *client = &g_array_index (self->clients, Client, index);
  close (client->fd);
  g_byte_array_unref (client->out);
  g_array_remove_index_fast (self->clients, index);
}

static void accept_client (LookoutHub *self) {
  int fd = accept4 (self->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  int yes = 1;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof (yes));
  Client client = { .fd = fd, .next = AT_NEXT_KEYFRAME, .stream = { .ssrc = g_random_int (), .sequence = g_random_int_range (0, 0x8000) }, .out = g_byte_array_new () };
  g_array_append_val (self->clients, client);
  g_mutex_lock (&self->lock);
  self->readers = self->clients->len;
  g_mutex_unlock (&self->lock);
  if (self->kind == HUB_VIDEO && !self->reads) {
    self->reads = TRUE;
    lookout_rest_want (self->notes);
  }
}

/* The last client left. */
static void let_rest (LookoutHub *self) {
  if (self->reads) lookout_rest_leave (self->notes);
  self->reads = FALSE;
}

/* What clients still need is kept, and the latest GOP for those to come. */
static void release_read (LookoutHub *self) {
  g_mutex_lock (&self->lock);
  guint64 needed = self->units.keyframe;
  for (guint i = 0; i < self->clients->len; i += 1) {
    guint64 next = g_array_index (self->clients, Client, i).next;
    if (next < needed) needed = next;
  }
  if (needed != AT_NEXT_KEYFRAME) hub_units_drop_before (&self->units, needed);
  self->readers = self->clients->len;
  g_mutex_unlock (&self->lock);
  if (self->clients->len == 0) let_rest (self);
}

/* A client says nothing: what can be read is its end. */
static gboolean has_left (int fd) {
  char rest[256];
  ssize_t got = recv (fd, rest, sizeof (rest), MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static void poll_once (LookoutHub *self, int timeout_ms) {
  guint count = self->clients->len;
  struct pollfd *fds = g_newa (struct pollfd, count + 2);
  fds[0] = (struct pollfd) { .fd = self->listener, .events = POLLIN };
  fds[1] = (struct pollfd) { .fd = self->wake, .events = POLLIN };
  for (guint i = 0; i < count; i += 1) {
    Client *client = &g_array_index (self->clients, Client, i);
    fds[i + 2] = (struct pollfd) { .fd = client->fd, .events = POLLIN | (client->sent < client->out->len ? POLLOUT : 0) };
  }
  if (poll (fds, count + 2, timeout_ms) < 0) return;
  eventfd_t woken;
  if (fds[1].revents != 0) eventfd_read (self->wake, &woken);
  /* From the last one: the place of one that is forgotten is taken by one that was served already. */
  for (guint i = count; i-- > 0;) {
    Client *client = &g_array_index (self->clients, Client, i);
    if (((fds[i + 2].revents & (POLLIN | POLLHUP | POLLERR)) && has_left (client->fd)) || !serve (self, client)) forget_client (self, i);
  }
  if (fds[0].revents & POLLIN) {
    accept_client (self);
    if (self->clients->len > 0 && !serve (self, &g_array_index (self->clients, Client, self->clients->len - 1))) forget_client (self, self->clients->len - 1);
  }
  release_read (self);
}

static gboolean is_behind (LookoutHub *self) {
  for (guint i = 0; i < self->clients->len; i += 1) {
    Client *client = &g_array_index (self->clients, Client, i);
    if (client->sent < client->out->len) return TRUE;
  }
  return FALSE;
}

static gpointer serve_all (gpointer data) {
  LookoutHub *self = data;
  gboolean running = TRUE;
  while (running) {
    poll_once (self, -1);
    g_mutex_lock (&self->lock);
    running = self->running;
    g_mutex_unlock (&self->lock);
  }
  gint64 until = g_get_monotonic_time () + FLUSH_MS * 1000;
  while (is_behind (self) && g_get_monotonic_time () < until) poll_once (self, 10);
  while (self->clients->len > 0) forget_client (self, 0);
  let_rest (self);
  return NULL;
}

static gboolean refuse (LookoutHub *self, const char *what) {
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ_WRITE, ("The hub cannot listen."), ("%s: %s", what, g_strerror (errno)));
  if (self->listener >= 0) close (self->listener);
  self->listener = -1;
  return FALSE;
}

static gboolean hub_start (GstBaseSink *sink) {
  LookoutHub *self = (LookoutHub *) sink;
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (self->wanted_port), .sin_addr = { htonl (INADDR_LOOPBACK) } };
  socklen_t length = sizeof (address);
  self->listener = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (self->listener < 0) return refuse (self, "socket");
  if (bind (self->listener, (struct sockaddr *) &address, sizeof (address)) < 0 || listen (self->listener, 32) < 0 || getsockname (self->listener, (struct sockaddr *) &address, &length) < 0) return refuse (self, "listen");
  self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->wake < 0) return refuse (self, "eventfd");
  self->port = ntohs (address.sin_port);
  self->running = TRUE;
  self->thread = g_thread_new ("lookouthub", serve_all, self);
  return TRUE;
}

static gboolean hub_stop (GstBaseSink *sink) {
  LookoutHub *self = (LookoutHub *) sink;
  if (self->thread == NULL) return TRUE;
  g_mutex_lock (&self->lock);
  self->running = FALSE;
  g_mutex_unlock (&self->lock);
  eventfd_write (self->wake, 1);
  g_thread_join (self->thread);
  self->thread = NULL;
  close (self->listener);
  close (self->wake);
  self->listener = self->wake = -1;
  self->port = -1;
  hub_units_clear (&self->units);
  return TRUE;
}

static void hub_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec) {
  LookoutHub *self = (LookoutHub *) object;
  if (id == PROP_CURRENT_PORT) g_value_set_int (value, self->port);
  else if (id == PROP_PORT) g_value_set_int (value, self->wanted_port);
  else if (id == PROP_TIMESTAMP_OFFSET) g_value_set_uint (value, self->timestamp_offset);
  else if (id == PROP_SOFT_BYTES) g_value_set_uint (value, self->soft_bytes);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void hub_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  LookoutHub *self = (LookoutHub *) object;
  if (id == PROP_PORT) self->wanted_port = g_value_get_int (value);
  else if (id == PROP_TIMESTAMP_OFFSET) self->timestamp_offset = g_value_get_uint (value);
  else if (id == PROP_SOFT_BYTES) self->soft_bytes = g_value_get_uint (value);
  /* Nobody waits for its EOS: the end of a source is the end of its video, and sound may never come. */
  else if (id == PROP_SOUND && g_value_get_boolean (value)) GST_OBJECT_FLAG_UNSET (self, GST_ELEMENT_FLAG_SINK);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void hub_finalize (GObject *object) {
  LookoutHub *self = (LookoutHub *) object;
  g_array_unref (self->clients);
  hub_units_clear (&self->units);
  g_clear_pointer (&self->parameter_sets, g_bytes_unref);
  g_mutex_clear (&self->lock);
  G_OBJECT_CLASS (lookout_hub_parent_class)->finalize (object);
}

static void lookout_hub_class_init (LookoutHubClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstBaseSinkClass *sink = GST_BASE_SINK_CLASS (class);
  object->get_property = hub_get_property;
  object->set_property = hub_set_property;
  object->finalize = hub_finalize;
  g_object_class_install_property (object, PROP_CURRENT_PORT, g_param_spec_int ("current-port", "Current port", "Where it listens on 127.0.0.1, -1 while it does not", -1, 65535, -1, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_PORT, g_param_spec_int ("port", "Port", "Where to listen, 0 for any free one", 0, 65535, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_TIMESTAMP_OFFSET, g_param_spec_uint ("timestamp-offset", "Timestamp offset", "RTP timestamp of a running time of 0", 0, G_MAXUINT32, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_SOFT_BYTES, g_param_spec_uint ("soft-bytes", "Bytes", "A client for whose sake more would be kept goes on at the latest keyframe", 1, G_MAXUINT32, 16 * 1024 * 1024, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_SOUND, g_param_spec_boolean ("sound", "Sound", "It is not the sink whose end is the pipeline's", FALSE, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class), "Hub", "Sink/Network", "Serves the latest GOP and what follows", "Lookout");
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (class), &sink_template);
  sink->start = hub_start;
  sink->stop = hub_stop;
  sink->set_caps = hub_set_caps;
  sink->render = hub_render;
  sink->event = hub_event;
}

static void lookout_hub_init (LookoutHub *self) {
  gst_base_sink_set_sync (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_async_enabled (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (self), FALSE);
  self->notes = lookout_notes ();
  g_mutex_init (&self->lock);
  self->clients = g_array_new (FALSE, FALSE, sizeof (Client));
  self->listener = self->wake = -1;
  self->port = -1;
  self->units.keyframe = self->units.latest = AT_NEXT_KEYFRAME;
  self->soft_bytes = 16 * 1024 * 1024;
  self->length_size = 4;
}
