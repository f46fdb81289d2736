/*
 * lookoutsound: the reading end of a hub of sound, in a pipeline whose video passes a `lookoutclock name=clock`. It gives
 * the frames since the picture with which `lookouttimes` lets the video begin on that pipeline's running time, and where no sound comes it says so: a
 * muxer that waits for a track that is late would hold up the video. Sound that comes later than `patience-ms` is dropped.
 * In a pipeline without such a clock it gives what is new, from its start on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include "clock.h"

#define RTP_HEAD 12
#define AU_HEAD 4
/* While the clock is not known, and no longer between two GAP events. */
#define LOOK_MS 10
#define GAP_MS 250

typedef struct {
  GstElement parent;
  GstPad *source;
  guint port, patience_ms;
  GstCaps *caps;
  GstElement *clock;  /* NULL: on a time line of its own, which begins with it */
  gint64 began;
  int fd, wake;
  gint ending; /* EOS was asked for */
  gboolean begun, aac;
  guint bytes_per_second, aac_rate;
  GByteArray *in;
  GstClockTime end; /* of what was pushed, a running time */
} LookoutSound;
typedef struct { GstElementClass parent; } LookoutSoundClass;
enum { PROP_PORT = 1, PROP_CAPS, PROP_PATIENCE };

G_DEFINE_TYPE (LookoutSound, lookout_sound, GST_TYPE_ELEMENT)

static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("audio/mpeg,mpegversion=4,stream-format=raw; audio/x-mulaw; audio/x-alaw"));

/* Waits for the socket, for a change of state, or for `ms`. */
static void wait_for (LookoutSound *self, int ms) {
  struct pollfd fds[2] = { { .fd = self->wake, .events = POLLIN }, { .fd = self->fd, .events = POLLIN } };
  poll (fds, self->fd < 0 ? 1 : 2, ms);
}

/* FALSE while no video has begun. */
static gboolean time_line (LookoutSound *self, gint64 *zero, GstClockTime *first) {
  if (self->clock != NULL) return lookout_clock_read (self->clock, zero, first) && GST_CLOCK_TIME_IS_VALID (*first);
  *zero = self->began;
  *first = 0;
  return TRUE;
}

static void begin (LookoutSound *self) {
  GstSegment segment;
  gchar *id = gst_pad_create_stream_id (self->source, GST_ELEMENT (self), NULL);
  gst_pad_push_event (self->source, gst_event_new_stream_start (id));
  g_free (id);
  gst_pad_push_event (self->source, gst_event_new_caps (self->caps));
  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (self->source, gst_event_new_segment (&segment));
  const GstStructure *format = gst_caps_get_structure (self->caps, 0);
  gint rate = 8000, channels = 1;
  gst_structure_get_int (format, "rate", &rate);
  gst_structure_get_int (format, "channels", &channels);
  self->aac = gst_structure_has_name (format, "audio/mpeg");
  self->aac_rate = rate;
  self->bytes_per_second = rate * channels;
  self->begun = TRUE;
}

static gboolean open_socket (LookoutSound *self) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (self->port), .sin_addr = { htonl (INADDR_LOOPBACK) } };
  self->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return self->fd >= 0 && connect (self->fd, (struct sockaddr *) &address, sizeof (address)) == 0;
}

static GstClockTime duration_of (LookoutSound *self, gsize bytes) {
  return self->aac ? gst_util_uint64_scale (1024, GST_SECOND, self->aac_rate) : gst_util_uint64_scale (bytes, GST_SECOND, self->bytes_per_second);
}

/*
 * A frame follows the one before it, however its packet was delayed: of a difference that is no gap a part is made up
 * for at a time.
 */
static GstClockTime smoothed (LookoutSound *self, GstClockTime time, GstClockTime duration) {
  if (!GST_CLOCK_TIME_IS_VALID (self->end)) return time;
  gint64 off = (gint64) (time - self->end), bound = MAX ((gint64) duration, 60 * GST_MSECOND);
  return ABS (off) > bound ? time : self->end + off / 32;
}

/* The frame of one packet (RFC 4571 took its length off), or NULL where it is too early, too late, or none. */
static GstBuffer *frame_of (LookoutSound *self, const guint8 *packet, gsize size, gint64 zero, GstClockTime first) {
  gsize head = RTP_HEAD + (self->aac ? AU_HEAD : 0);
  if (size <= head) return NULL;
  gint64 running = lookout_monotonic_of_rtp (GST_READ_UINT32_BE (packet + 4)) - zero;
  GstClockTime duration = duration_of (self, size - head);
  if (running < 0 || (GstClockTime) running < first) return NULL;
  GstClockTime time = smoothed (self, running, duration);
  if (GST_CLOCK_TIME_IS_VALID (self->end) && time + GST_MSECOND < self->end) return NULL;
  if (GST_CLOCK_TIME_IS_VALID (self->end) && time < self->end) time = self->end;
  GstBuffer *buffer = gst_buffer_new_memdup (packet + head, size - head);
  if (time != self->end && time == (GstClockTime) running) GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DISCONT);
  GST_BUFFER_PTS (buffer) = time;
  GST_BUFFER_DTS (buffer) = time;
  GST_BUFFER_DURATION (buffer) = duration;
  self->end = time + duration;
  return buffer;
}

/* The next whole packet's frame; `more` is FALSE where the rest of it has not come yet. */
static GstBuffer *next_frame (LookoutSound *self, gboolean *more) {
  gint64 zero;
  GstClockTime first;
  *more = self->in->len >= 2 && self->in->len >= 2u + GST_READ_UINT16_BE (self->in->data);
  if (!*more) return NULL;
  gsize size = GST_READ_UINT16_BE (self->in->data);
  GstBuffer *buffer = time_line (self, &zero, &first) ? frame_of (self, self->in->data + 2, size, zero, first) : NULL;
  g_byte_array_remove_range (self->in, 0, 2 + size);
  return buffer;
}

static void finish (LookoutSound *self) {
  gst_pad_push_event (self->source, gst_event_new_eos ());
  gst_pad_pause_task (self->source);
}

static void push (LookoutSound *self, GstBuffer *buffer) {
  GstFlowReturn flow = gst_pad_push (self->source, buffer);
  if (flow == GST_FLOW_FLUSHING || flow == GST_FLOW_EOS) gst_pad_pause_task (self->source);
  else if (flow != GST_FLOW_OK) {
    GST_ELEMENT_FLOW_ERROR (self, flow);
    finish (self);
  }
}

/*
 * Nothing older than the patience will be given any more: whoever waits for it goes on. Said by an empty buffer, as muxers
 * themselves keep a gap: at a GAP event splitmuxsink 1.22 does not wake the video that waits.
 */
static void tell_gap (LookoutSound *self) {
  gint64 zero;
  GstClockTime first;
  /* Alone, it holds up nobody. */
  if (self->clock == NULL || !time_line (self, &zero, &first)) return;
  gint64 until = g_get_monotonic_time () * 1000 - zero - (gint64) self->patience_ms * GST_MSECOND;
  GstClockTime from = GST_CLOCK_TIME_IS_VALID (self->end) ? self->end : first;
  if (until < (gint64) (from + GAP_MS * GST_MSECOND)) return;
  GstBuffer *nothing = gst_buffer_new ();
  GST_BUFFER_PTS (nothing) = GST_BUFFER_DTS (nothing) = until;
  GST_BUFFER_DURATION (nothing) = 0;
  GST_BUFFER_FLAG_SET (nothing, GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DROPPABLE);
  self->end = until;
  push (self, nothing);
}

static gboolean receive (LookoutSound *self) {
  guint8 chunk[16384];
  ssize_t got = recv (self->fd, chunk, sizeof (chunk), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got > 0) g_byte_array_append (self->in, chunk, got);
  return got > 0;
}

static void sound_loop (gpointer data) {
  LookoutSound *self = data;
  gint64 zero;
  GstClockTime first;
  gboolean more;
  if (!self->begun) begin (self);
  if (g_atomic_int_get (&self->ending)) return finish (self);
  if (!time_line (self, &zero, &first)) return wait_for (self, LOOK_MS);
  /* Not before the video: sound would begin with a GOP that is over. */
  if (self->fd < 0 && !open_socket (self)) return finish (self);
  GstBuffer *buffer = next_frame (self, &more);
  if (buffer != NULL) push (self, buffer);
  else if (!more) {
    wait_for (self, GAP_MS);
    if (!receive (self)) return finish (self);
    tell_gap (self);
  }
}

static gboolean sound_activate (GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active) {
  LookoutSound *self = (LookoutSound *) parent;
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  if (active) {
    if (!lookout_clock_beside (parent, &self->clock) || self->caps == NULL) return FALSE;
    self->began = g_get_monotonic_time () * 1000;
    self->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    return gst_pad_start_task (pad, sound_loop, self, NULL);
  }
  eventfd_write (self->wake, 1);
  gst_pad_stop_task (pad);
  if (self->fd >= 0) close (self->fd);
  close (self->wake);
  self->fd = self->wake = -1;
  gst_clear_object (&self->clock);
  return TRUE;
}

/* A pipeline that is told to end sends EOS to its sources. */
static gboolean sound_send_event (GstElement *element, GstEvent *event) {
  LookoutSound *self = (LookoutSound *) element;
  gboolean end = GST_EVENT_TYPE (event) == GST_EVENT_EOS;
  gst_event_unref (event);
  if (!end) return FALSE;
  g_atomic_int_set (&self->ending, 1);
  if (self->wake >= 0) eventfd_write (self->wake, 1);
  return TRUE;
}

static void sound_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  LookoutSound *self = (LookoutSound *) object;
  if (id == PROP_PORT) self->port = g_value_get_uint (value);
  else if (id == PROP_PATIENCE) self->patience_ms = g_value_get_uint (value);
  else if (id == PROP_CAPS) gst_caps_replace (&self->caps, (GstCaps *) gst_value_get_caps (value));
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void sound_finalize (GObject *object) {
  LookoutSound *self = (LookoutSound *) object;
  gst_caps_replace (&self->caps, NULL);
  g_byte_array_unref (self->in);
  G_OBJECT_CLASS (lookout_sound_parent_class)->finalize (object);
}

static void lookout_sound_class_init (LookoutSoundClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  object->set_property = sound_set_property;
  object->finalize = sound_finalize;
  element->send_event = sound_send_event;
  g_object_class_install_property (object, PROP_PORT, g_param_spec_uint ("port", "Port", "Of the hub on 127.0.0.1", 1, 65535, 1, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_CAPS, g_param_spec_boxed ("caps", "Caps", "What the hub gives", GST_TYPE_CAPS, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_PATIENCE, g_param_spec_uint ("patience-ms", "Patience", "Sound that is later than this is given up", 1, 60000, 1000, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (element, "Hub of sound, read", "Source/Audio", "Reads a hub of sound along a clock", "Lookout");
  gst_element_class_add_static_pad_template (element, &src_template);
}

static void lookout_sound_init (LookoutSound *self) {
  self->fd = self->wake = -1;
  self->patience_ms = 1000;
  self->end = GST_CLOCK_TIME_NONE;
  self->in = g_byte_array_new ();
  self->source = gst_pad_new_from_static_template (&src_template, "src");
  gst_pad_set_activatemode_function (self->source, sound_activate);
  gst_pad_use_fixed_caps (self->source);
  gst_element_add_pad (GST_ELEMENT (self), self->source);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
}
