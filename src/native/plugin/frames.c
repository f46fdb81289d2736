/*
 * lookoutframes: a sink for raw video that puts each frame into shared memory once and serves it to any number of readers,
 * over TCP on 127.0.0.1 and by the protocol of shmsink. A reader that stands still misses frames and costs nobody else one:
 * shmsink of GStreamer 1.22 waits for it. Wire format: frames-wire.h, docs/frames.md.
 */
#include <errno.h>
#include <string.h>
#include <gst/base/gstbasesink.h>
#include "frames-server.h"
#include "frames-wire.h"
#include "clock.h"

/* A frame this young is of the present; a machine that has not got there after so long will not get there. */
#define PRESENT_MS 300
#define CATCH_UP_MS 3000

typedef struct {
  GstBaseSink parent;
  FramesServer server;
  guint wanted_port;
  char *path;
  GstElement *clock;
  gint64 epoch_ns, began_ns; /* a running time of 0, since 1970 and on the monotonic clock; guarded by the server's lock, as what follows */
  gboolean is_placed;
  guint64 frames, lost;
  gint64 behind_ms, first_ms;
  gboolean present;
} LookoutFrames;
typedef struct { GstBaseSinkClass parent; } LookoutFramesClass;
enum { PROP_CURRENT_PORT = 1, PROP_PORT, PROP_PATH, PROP_AREAS, PROP_STREAM_ID, PROP_STATS };

G_DEFINE_TYPE (LookoutFrames, lookout_frames, GST_TYPE_BASE_SINK)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw"));

/* The hub begins with its latest keyframe, so a run decodes a GOP at once to get to the present. That past is not served. */
static gboolean is_present (LookoutFrames *self, gint64 now_ms) {
  if (self->first_ms == 0) self->first_ms = now_ms;
  self->present |= self->behind_ms < PRESENT_MS || now_ms - self->first_ms > CATCH_UP_MS;
  return self->present;
}

/* What the wall clock says of a running time of 0 is asked once: a step of it moves no frame against another. */
static gboolean place (LookoutFrames *self) {
  GstClockTime first;
  if (self->is_placed || self->clock == NULL || !lookout_clock_read (self->clock, &self->began_ns, &first)) return self->is_placed;
  self->epoch_ns = self->began_ns + (g_get_real_time () - g_get_monotonic_time ()) * 1000;
  return self->is_placed = TRUE;
}

/* The lock is held, and let go while the frame is copied. */
static void keep_frame (LookoutFrames *self, GstBuffer *buffer, guint64 time_ns) {
  FramesServer *server = &self->server;
  gsize bytes = gst_buffer_get_size (buffer);
  server->slot_bytes = bytes;
  frames_store_fit (&server->store, bytes);
  Slot *slot = frames_store_take (&server->store, server->slot_bytes);
  guint64 sequence = server->store.end++;
  if (slot == NULL) {
    self->lost += 1;
    return;
  }
  g_mutex_unlock (&server->lock);
  slot->offset = slot->start - GDP_HEADER_BYTES;
  slot->size = GDP_HEADER_BYTES + bytes;
  slot->sequence = sequence;
  slot->time_ns = time_ns;
  frames_header (slot->memory + slot->offset, time_ns, GST_BUFFER_DURATION (buffer), sequence, bytes);
  gst_buffer_extract (buffer, 0, slot->memory + slot->start, bytes);
  g_mutex_lock (&server->lock);
  frames_store_keep (&server->store, slot);
  self->frames += 1;
}

static GstFlowReturn frames_render (GstBaseSink *sink, GstBuffer *buffer) {
  LookoutFrames *self = (LookoutFrames *) sink;
  GstClockTime running = gst_segment_to_running_time (&sink->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  g_mutex_lock (&self->server.lock);
  /* Without a clock beside it a frame has no time. */
  if (place (self) && GST_CLOCK_TIME_IS_VALID (running) && self->server.format > 0) {
    guint64 time_ns = self->epoch_ns + running;
    /* The wall clock may be set meanwhile. */
    gint64 now_ms = g_get_monotonic_time () / 1000;
    self->behind_ms = now_ms - (self->began_ns + (gint64) running) / 1000000;
    if (is_present (self, now_ms)) keep_frame (self, buffer, time_ns);
  }
  g_mutex_unlock (&self->server.lock);
  frames_server_wake (&self->server);
  return GST_FLOW_OK;
}

static gboolean frames_set_caps (GstBaseSink *sink, GstCaps *caps) {
  FramesServer *server = &((LookoutFrames *) sink)->server;
  g_mutex_lock (&server->lock);
  gst_caps_replace (&server->caps, caps);
  server->format += 1;
  /* What is there is of the old format. */
  while (server->store.ring.length > 0) ((Slot *) g_queue_pop_head (&server->store.ring))->refs -= 1;
  g_mutex_unlock (&server->lock);
  return TRUE;
}

static gboolean frames_start (GstBaseSink *sink) {
  LookoutFrames *self = (LookoutFrames *) sink;
  FramesServer *server = &self->server;
  self->is_placed = FALSE;
  const char *failed = !lookout_clock_beside (GST_OBJECT (self), &self->clock) ? "the clock" : frames_server_start (server, self->wanted_port, server->store.prefix != NULL ? self->path : NULL);
  if (failed == NULL) return TRUE;
  gst_clear_object (&self->clock);
  GST_ELEMENT_ERROR (self, RESOURCE, OPEN_READ_WRITE, ("Frames cannot be served."), ("%s: %s", failed, g_strerror (errno)));
  return FALSE;
}

static gboolean frames_stop (GstBaseSink *sink) {
  FramesServer *server = &((LookoutFrames *) sink)->server;
  frames_server_stop (server);
  gst_clear_object (&((LookoutFrames *) sink)->clock);
  while (server->store.ring.length > 0) ((Slot *) g_queue_pop_head (&server->store.ring))->refs -= 1;
  while (server->store.slots->len > 0) frames_store_destroy (&server->store, g_ptr_array_index (server->store.slots, 0));
  return TRUE;
}

static GstStructure *stats_of (LookoutFrames *self) {
  FramesServer *server = &self->server;
  g_mutex_lock (&server->lock);
  GstStructure *stats = gst_structure_new ("stats", "frames", G_TYPE_UINT64, self->frames, "lost", G_TYPE_UINT64, self->lost, "sent", G_TYPE_UINT64, server->sent,
    "missed", G_TYPE_UINT64, server->missed, "cut", G_TYPE_UINT64, server->cut, "tcp", G_TYPE_UINT, server->tcp_readers, "shared", G_TYPE_UINT, server->shared_readers,
    "behind", G_TYPE_INT64, self->behind_ms, "bytes", G_TYPE_UINT64, (guint64) server->slot_bytes * self->frames, NULL);
  g_mutex_unlock (&server->lock);
  return stats;
}

static void frames_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec) {
  LookoutFrames *self = (LookoutFrames *) object;
  if (id == PROP_CURRENT_PORT) g_value_set_int (value, self->server.port);
  else if (id == PROP_PORT) g_value_set_uint (value, self->wanted_port);
  else if (id == PROP_PATH) g_value_set_string (value, self->path);
  else if (id == PROP_AREAS) g_value_set_string (value, self->server.store.prefix);
  else if (id == PROP_STREAM_ID) g_value_set_string (value, self->server.stream_id);
  else if (id == PROP_STATS) g_value_take_boxed (value, stats_of (self));
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void replace_text (char **text, const GValue *value) {
  g_free (*text);
  *text = g_value_dup_string (value);
}

static void frames_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  LookoutFrames *self = (LookoutFrames *) object;
  if (id == PROP_PORT) self->wanted_port = g_value_get_uint (value);
  else if (id == PROP_PATH) replace_text (&self->path, value);
  else if (id == PROP_AREAS) replace_text (&self->server.store.prefix, value);
  else if (id == PROP_STREAM_ID) replace_text (&self->server.stream_id, value);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void frames_finalize (GObject *object) {
  LookoutFrames *self = (LookoutFrames *) object;
  g_free (self->server.store.prefix);
  g_free (self->path);
  frames_server_clear (&self->server);
  G_OBJECT_CLASS (lookout_frames_parent_class)->finalize (object);
}

static void install_text (GObjectClass *object, guint id, const char *name, const char *blurb) {
  g_object_class_install_property (object, id, g_param_spec_string (name, name, blurb, NULL, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
}

static void lookout_frames_class_init (LookoutFramesClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstBaseSinkClass *sink = GST_BASE_SINK_CLASS (class);
  object->get_property = frames_get_property;
  object->set_property = frames_set_property;
  object->finalize = frames_finalize;
  g_object_class_install_property (object, PROP_CURRENT_PORT, g_param_spec_int ("current-port", "Current port", "Where it listens on 127.0.0.1, -1 while it does not", -1, 65535, -1, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_PORT, g_param_spec_uint ("port", "Port", "Where to listen; any other where it is taken, 0 for any", 0, 65535, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  install_text (object, PROP_PATH, "socket-path", "Where shmsrc connects; replaced where it exists");
  install_text (object, PROP_AREAS, "areas", "How names of areas of shared memory begin");
  install_text (object, PROP_STREAM_ID, "stream-id", "Tells the frames of one run from those of another");
  g_object_class_install_property (object, PROP_STATS, g_param_spec_boxed ("stats", "Statistics", "Frames and readers", GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class), "Frames", "Sink/Video", "Serves raw frames to programs", "Lookout");
  gst_element_class_add_static_pad_template (GST_ELEMENT_CLASS (class), &sink_template);
  sink->start = frames_start;
  sink->stop = frames_stop;
  sink->set_caps = frames_set_caps;
  sink->render = frames_render;
}

static void lookout_frames_init (LookoutFrames *self) {
  gst_base_sink_set_sync (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_async_enabled (GST_BASE_SINK (self), FALSE);
  gst_base_sink_set_last_sample_enabled (GST_BASE_SINK (self), FALSE);
  frames_server_init (&self->server);
  self->server.stream_id = g_strdup ("frames");
}
