/*
 * The flight recorder's eyes, a GStreamer plugin of two elements that cost a source next to nothing:
 *
 *   lookoutflight     stands in a pipeline where RTP passes, counts it (`stats`, as identity does) and notes every header
 *   lookoutdialogue   an extension of rtspsrc (GstRTSPExtension): rtspsrc makes one by itself and shows it its dialogue
 *
 * gstreamer-superficial has no probes and no signals, and rtspsrc's log costs half of what the source does
 * (docs/decisions.md). What is noted lies in a file that the supervisor made and this process maps: it survives whatever
 * kills, stops or freezes this process, and nobody wakes up for it. Layout: `layout` in flight-box.ts, host byte order.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <gst/gst.h>
#include <gst/base/gstbasetransform.h>
#include <gst/rtsp/gstrtspextension.h>

#define BOX_BYTES 65536
#define START_BYTES 12288
#define LATER_SLOTS 8
#define LATER_BYTES 512
#define RUNS 1534
/* A run is cut after so long, and at a pause: when its packets came stays known that well. */
#define RUN_MS 1000
#define PAUSE_MS 100

/* Packets whose headers follow from the first one's: sequence + i, timestamp + i * step. `serial` counts from 1; 0: empty. */
typedef struct {
  guint32 serial, at, ssrc, timestamp, step, bytes;
  guint16 sequence, count, ms;
  guint8 marker_type; /* marker of the last packet (of all, with a step) in bit 7, payload type below */
  guint8 track;       /* bit 7: a keyframe begins in it */
} Run;

/* `text` is not terminated; in the start area records follow each other, padded to 4 bytes. */
typedef struct {
  guint32 serial, at;
  guint16 length;
  guint8 received, unused;
  char text[];
} Message;

typedef struct {
  char magic[8];
  guint64 started_ms; /* CLOCK_MONOTONIC */
  guint32 runs, start_bytes, messages, playing;
  guint8 unused[32];
  guint8 start[START_BYTES];
  guint8 later[LATER_SLOTS][LATER_BYTES];
  Run run[RUNS];
} Box;

G_STATIC_ASSERT (sizeof (Run) == 32 && sizeof (Box) <= BOX_BYTES && G_STRUCT_OFFSET (Box, start) == 64);

static Box *box = NULL;
static GMutex lock;
static guint32 laters = 0;
static gboolean play_asked = FALSE;

static guint64 now_ms (void) {
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Without a file (a test, gst-inspect-1.0) the elements only pass on. */
static void open_box (void) {
  const char *fd = getenv ("LOOKOUT_FLIGHT_FD");
  if (fd == NULL || box != NULL) return;
  void *memory = mmap (NULL, BOX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, atoi (fd), 0);
  if (memory == MAP_FAILED) return;
  box = memory;
  box->started_ms = now_ms ();
  memcpy (box->magic, "LKFLGHT1", 8);
}

/* ---- lookoutflight ---- */

typedef struct {
  GstBaseTransform parent;
  guint track, codec;
  guint64 packets, bytes;
  Run *open;
  guint32 serial;
} LookoutFlight;
typedef struct { GstBaseTransformClass parent; } LookoutFlightClass;
enum { PROP_STATS = 1, PROP_TRACK, PROP_CODEC };

G_DEFINE_TYPE (LookoutFlight, flight, GST_TYPE_BASE_TRANSFORM)

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

/* Whether a payload begins a keyframe: its parameter sets, or its first slice (RFC 6184, RFC 7798). Codec 1: H.264, 2: H.265. */
static gboolean begins_keyframe (guint codec, const guint8 *payload, gsize length) {
  if (codec == 1 && length >= 4) {
    guint type = payload[0] & 0x1f;
    if (type == 24) type = payload[3] & 0x1f;
    else if (type == 28) type = payload[1] & 0x80 ? payload[1] & 0x1f : 0;
    return type == 5 || type == 7;
  }
  if (codec == 2 && length >= 6) {
    guint type = payload[0] >> 1 & 0x3f;
    if (type == 48) type = payload[4] >> 1 & 0x3f;
    else if (type == 49) type = payload[2] & 0x80 ? payload[2] & 0x3f : 0;
    return (type >= 16 && type <= 21) || type == 32;
  }
  return FALSE;
}

static gsize header_length (const guint8 *packet, gsize size) {
  gsize length = 12 + (packet[0] & 0x0f) * 4;
  if ((packet[0] & 0x10) && size >= length + 4) length += 4 + 4 * GST_READ_UINT16_BE (packet + length + 2);
  return MIN (length, size);
}

/* Whether a packet follows from the open run; where it is the second one, it sets the step. */
static gboolean continues (const Run *run, guint16 sequence, guint32 timestamp, guint8 marker_type, guint32 at) {
  if ((guint16) (run->sequence + run->count) != sequence || run->count == G_MAXUINT16) return FALSE;
  if (at - run->at > RUN_MS || at - run->at - run->ms > PAUSE_MS) return FALSE;
  guint32 step = run->count == 1 ? timestamp - run->timestamp : run->step;
  if (run->timestamp + run->count * step != timestamp) return FALSE;
  /* One access unit ends with its marker; units of one packet each all look alike. */
  return step == 0 ? (run->marker_type & 0x80) == 0 && (marker_type & 0x7f) == run->marker_type : marker_type == run->marker_type;
}

static void note_packet (LookoutFlight *self, const guint8 *packet, gsize size) {
  guint32 at = now_ms () - box->started_ms, timestamp = GST_READ_UINT32_BE (packet + 4), ssrc = GST_READ_UINT32_BE (packet + 8);
  guint16 sequence = GST_READ_UINT16_BE (packet + 2);
  gsize header = header_length (packet, size);
  gboolean keyframe = begins_keyframe (self->codec, packet + header, size - header);
  g_mutex_lock (&lock);
  Run *run = self->open;
  gboolean mine = run != NULL && run->serial == self->serial && run->ssrc == ssrc && continues (run, sequence, timestamp, packet[1], at);
  /* With a step every packet is a unit of its own: a keyframe among them begins a run, so that it can be told which one it is. */
  if (mine && keyframe && timestamp != run->timestamp) mine = FALSE;
  if (!mine) {
    self->serial = box->runs + 1;
    self->open = run = &box->run[box->runs % RUNS];
    *run = (Run) { .serial = self->serial, .at = at, .ssrc = ssrc, .timestamp = timestamp, .sequence = sequence, .track = self->track };
    box->runs += 1;
  } else if (run->count == 1) run->step = timestamp - run->timestamp;
  run->count += 1;
  run->ms = at - run->at;
  run->bytes += size;
  run->marker_type = packet[1];
  if (keyframe) run->track |= 0x80;
  g_mutex_unlock (&lock);
}

static GstFlowReturn flight_transform_ip (GstBaseTransform *base, GstBuffer *buffer) {
  LookoutFlight *self = (LookoutFlight *) base;
  GstMapInfo map;
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) return GST_FLOW_OK;
  if (box != NULL && map.size >= 12) note_packet (self, map.data, map.size);
  GST_OBJECT_LOCK (self);
  self->packets += 1;
  self->bytes += map.size;
  GST_OBJECT_UNLOCK (self);
  gst_buffer_unmap (buffer, &map);
  return GST_FLOW_OK;
}

static void flight_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec) {
  LookoutFlight *self = (LookoutFlight *) object;
  if (id == PROP_TRACK) g_value_set_uint (value, self->track);
  else if (id == PROP_CODEC) g_value_set_uint (value, self->codec);
  else if (id == PROP_STATS) {
    GST_OBJECT_LOCK (self);
    g_value_take_boxed (value, gst_structure_new ("stats", "num-bytes", G_TYPE_UINT64, self->bytes, "num-buffers", G_TYPE_UINT64, self->packets, NULL));
    GST_OBJECT_UNLOCK (self);
  } else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void flight_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  LookoutFlight *self = (LookoutFlight *) object;
  if (id == PROP_TRACK) self->track = g_value_get_uint (value);
  else if (id == PROP_CODEC) self->codec = g_value_get_uint (value);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void flight_class_init (LookoutFlightClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  object->get_property = flight_get_property;
  object->set_property = flight_set_property;
  g_object_class_install_property (object, PROP_STATS, g_param_spec_boxed ("stats", "Statistics", "Packets and bytes that passed", GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_TRACK, g_param_spec_uint ("track", "Track", "What its packets are noted under", 0, 127, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_CODEC, g_param_spec_uint ("codec", "Codec", "Whose keyframes are marked: 1 H.264, 2 H.265", 0, 2, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (element, "Flight recorder", "Generic", "Notes RTP headers", "Lookout");
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
  GST_BASE_TRANSFORM_CLASS (class)->transform_ip = flight_transform_ip;
  GST_BASE_TRANSFORM_CLASS (class)->transform_ip_on_passthrough = TRUE;
}

static void flight_init (LookoutFlight *self) {
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
}

/* ---- lookoutdialogue ---- */

typedef struct { GstElement parent; } LookoutDialogue;
typedef struct { GstElementClass parent; } LookoutDialogueClass;

static void dialogue_extension (gpointer interface, gpointer data);
G_DEFINE_TYPE_WITH_CODE (LookoutDialogue, dialogue, GST_TYPE_ELEMENT, G_IMPLEMENT_INTERFACE (GST_TYPE_RTSP_EXTENSION, dialogue_extension))

/* Up to the answer to PLAY messages stay for good, as far as they fit; later ones overwrite each other. */
static void keep (const GString *text, gboolean received) {
  guint32 at = now_ms () - box->started_ms;
  g_mutex_lock (&lock);
  Message *message;
  gsize room;
  gsize left = START_BYTES - box->start_bytes;
  if (!box->playing && left > sizeof (Message)) {
    message = (Message *) (box->start + box->start_bytes);
    room = left - sizeof (Message);
  } else {
    message = (Message *) box->later[laters++ % LATER_SLOTS];
    room = LATER_BYTES - sizeof (Message);
  }
  message->at = at;
  message->received = received;
  message->length = MIN (text->len, room);
  memcpy (message->text, text->str, message->length);
  message->serial = ++box->messages;
  if ((guint8 *) message < box->start + START_BYTES) box->start_bytes += MIN (left, (sizeof (Message) + message->length + 3) & ~(gsize) 3);
  if (!received) play_asked = g_str_has_prefix (text->str, "PLAY ");
  else if (play_asked && g_str_has_prefix (text->str, "RTSP/1.0 200")) box->playing = 1;
  g_mutex_unlock (&lock);
}

static void note_message (GstRTSPMessage *message, gboolean received) {
  if (box == NULL) return;
  GString *text = g_string_new (NULL);
  if (message->type == GST_RTSP_MESSAGE_REQUEST) g_string_append_printf (text, "%s %s RTSP/1.0\r\n", gst_rtsp_method_as_text (message->type_data.request.method), message->type_data.request.uri);
  else g_string_append_printf (text, "RTSP/1.0 %d %s\r\n", message->type_data.response.code, message->type_data.response.reason ? message->type_data.response.reason : "");
  gst_rtsp_message_append_headers (message, text);
  g_string_append (text, "\r\n");
  guint8 *body = NULL;
  guint size = 0;
  /* rtspsrc counts a terminating zero to the body. */
  if (gst_rtsp_message_get_body (message, &body, &size) == GST_RTSP_OK && body != NULL) g_string_append_len (text, (char *) body, strnlen ((char *) body, size));
  keep (text, received);
  g_string_free (text, TRUE);
}

static GstRTSPResult dialogue_before_send (GstRTSPExtension *extension, GstRTSPMessage *request) {
  (void) extension;
  note_message (request, FALSE);
  return GST_RTSP_OK;
}

static GstRTSPResult dialogue_after_send (GstRTSPExtension *extension, GstRTSPMessage *request, GstRTSPMessage *response) {
  (void) extension;
  (void) request;
  if (response->type == GST_RTSP_MESSAGE_RESPONSE) note_message (response, TRUE);
  return GST_RTSP_OK;
}

static void dialogue_extension (gpointer interface, gpointer data) {
  GstRTSPExtensionInterface *extension = interface;
  (void) data;
  extension->before_send = dialogue_before_send;
  extension->after_send = dialogue_after_send;
}

static void dialogue_class_init (LookoutDialogueClass *class) {
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class), "Flight recorder", "Network/Extension/Protocol", "Notes the dialogue of rtspsrc", "Lookout");
}

static void dialogue_init (LookoutDialogue *self) {
  (void) self;
}

static gboolean plugin_init (GstPlugin *plugin) {
  open_box ();
  return gst_element_register (plugin, "lookoutflight", GST_RANK_NONE, flight_get_type ())
      && gst_element_register (plugin, "lookoutdialogue", GST_RANK_MARGINAL, dialogue_get_type ());
}

#define PACKAGE "lookout"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, lookoutflight, "The flight recorder of Lookout", plugin_init, "1.0", "MIT/X11", "Lookout", "https://github.com")
