/*
 * lookoutflight: stands in a pipeline where RTP passes, counts it (`stats`, as identity does) and notes every header, so
 * that the last half minute before a failure can be read and replayed. What no depayloader bears ends here (payload.c); video that
 * reorders gets the times of its own clock (steady.c).
 */
#include "box.h"
#include "payload.h"
#include "steady.h"

/* A run is cut after so long, and at a pause: when its packets came stays known that well. */
#define RUN_MS 1000
#define PAUSE_MS 100

typedef struct {
  GstElement parent;
  GstPad *source;
  Notes *notes;
  guint track, codec;
  guint64 packets;
  Run *open;
  guint32 serial;
  PayloadState payload;
  Steady steady;
} LookoutFlight;
typedef struct { GstElementClass parent; } LookoutFlightClass;
enum { PROP_STATS = 1, PROP_TRACK, PROP_CODEC };

G_DEFINE_TYPE (LookoutFlight, lookout_flight, GST_TYPE_ELEMENT)

/* Whether a packet follows from the open run; where it is the second one, it sets the step. */
static gboolean continues (const Run *run, guint16 sequence, guint32 timestamp, guint8 marker_type, guint32 at) {
  if ((guint16) (run->sequence + run->count) != sequence || run->count == G_MAXUINT16) return FALSE;
  if (at - run->at > RUN_MS || at - run->at - run->ms > PAUSE_MS) return FALSE;
  guint32 step = run->count == 1 ? timestamp - run->timestamp : run->step;
  if (run->timestamp + run->count * step != timestamp) return FALSE;
  /* One access unit ends with its marker; units of one packet each all look alike. */
  return step == 0 ? (run->marker_type & 0x80) == 0 && (marker_type & 0x7f) == run->marker_type : marker_type == run->marker_type;
}

static void note_packet (LookoutFlight *self, const guint8 *packet, gsize size, gboolean keyframe) {
  Box *box = self->notes->box;
  guint32 at = lookout_box_now (box), timestamp = GST_READ_UINT32_BE (packet + 4), ssrc = GST_READ_UINT32_BE (packet + 8);
  guint16 sequence = GST_READ_UINT16_BE (packet + 2);
  Counters *counters = &box->counters;
  if (self->track == 0) {
    if (counters->packets > 0 && (gint32) (timestamp - counters->timestamp) < 0) counters->reordered += 1;
    counters->packet_at = at;
    counters->timestamp = timestamp;
    counters->bytes += size;
    counters->packets += 1;
  } else counters->audio_packets += 1;
  g_mutex_lock (&self->notes->lock);
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
  g_mutex_unlock (&self->notes->lock);
}

/* Counts and notes a packet; FALSE where it goes no further. Of one that does, its RTP time and whether a keyframe begins in it. */
static gboolean take_packet (LookoutFlight *self, const guint8 *packet, gsize size, guint32 *timestamp, gboolean *keyframe) {
  gsize begin = 0, end = 0;
  gboolean whole = payload_bounds (packet, size, &begin, &end);
  *keyframe = whole && payload_begins_keyframe (self->codec, packet + begin, end - begin);
  if (self->notes->box != NULL && size >= 12) note_packet (self, packet, size, *keyframe);
  if (!whole || !payload_is_sound (self->codec, &self->payload, packet + begin, end - begin)) return FALSE;
  *timestamp = GST_READ_UINT32_BE (packet + 4);
  return TRUE;
}

static GstFlowReturn flight_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  LookoutFlight *self = (LookoutFlight *) parent;
  (void) pad;
  GstMapInfo map;
  gboolean passes = FALSE, keyframe = FALSE;
  guint32 timestamp = 0;
  if (gst_buffer_map (buffer, &map, GST_MAP_READ)) {
    passes = take_packet (self, map.data, map.size, &timestamp, &keyframe);
    GST_OBJECT_LOCK (self);
    self->packets += 1;
    GST_OBJECT_UNLOCK (self);
    gst_buffer_unmap (buffer, &map);
  }
  if (passes) return gst_pad_push (self->source, self->track == 0 ? steady_time (&self->steady, buffer, timestamp, keyframe) : buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

static gboolean flight_event (GstPad *pad, GstObject *parent, GstEvent *event) {
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    GstCaps *caps = NULL;
    gst_event_parse_caps (event, &caps);
    const GstStructure *format = gst_caps_get_structure (caps, 0);
    const gchar *size = gst_structure_get_string (format, "sizelength"), *index = gst_structure_get_string (format, "indexlength"), *delta = gst_structure_get_string (format, "indexdeltalength");
    ((LookoutFlight *) parent)->payload.hbr = g_strcmp0 (size, "13") == 0 && g_strcmp0 (index, "3") == 0 && g_strcmp0 (delta, "3") == 0;
  }
  return gst_pad_event_default (pad, parent, event);
}

static void flight_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec) {
  LookoutFlight *self = (LookoutFlight *) object;
  if (id == PROP_TRACK) g_value_set_uint (value, self->track);
  else if (id == PROP_CODEC) g_value_set_uint (value, self->codec);
  else if (id == PROP_STATS) {
    GST_OBJECT_LOCK (self);
    g_value_take_boxed (value, gst_structure_new ("stats", "num-buffers", G_TYPE_UINT64, self->packets, NULL));
    GST_OBJECT_UNLOCK (self);
  } else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void flight_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  LookoutFlight *self = (LookoutFlight *) object;
  if (id == PROP_TRACK) self->track = g_value_get_uint (value);
  else if (id == PROP_CODEC) self->codec = g_value_get_uint (value);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void lookout_flight_class_init (LookoutFlightClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  object->get_property = flight_get_property;
  object->set_property = flight_set_property;
  g_object_class_install_property (object, PROP_STATS, g_param_spec_boxed ("stats", "Statistics", "Packets that passed", GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_TRACK, g_param_spec_uint ("track", "Track", "What its packets are noted under", 0, 127, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_CODEC, g_param_spec_uint ("codec", "Codec", "What its payloads must be: 1 H.264, 2 H.265, 3 AAC, 4 G.711", 0, 4, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (element, "Flight recorder", "Generic", "Notes RTP headers", "Lookout");
  lookout_pad_templates (element);
}

static void lookout_flight_init (LookoutFlight *self) {
  lookout_add_pads (GST_ELEMENT (self), &self->source, flight_chain, flight_event);
  self->notes = lookout_notes ();
  self->payload.fragment = -1;
}
