/*
 * lookoutclock: stands in the reading end of a hub and learns what CLOCK_MONOTONIC said when the running time of its
 * pipeline was 0. RTP carries that clock at 90 kHz; what comes out of a Matroska hub has it in its own times. Passes
 * everything on as it is. `lookoutsound` in the same pipeline keeps to it, and so does the supervisor's wall clock.
 */
#include "clock.h"

typedef struct {
  GstElement parent;
  GstPad *source;
  GMutex lock; /* Guards what follows. */
  GstSegment segment;
  gboolean rtp, known;
  gint64 zero;
  GstClockTime first; /* GST_CLOCK_TIME_NONE before a video began */
} LookoutClock;
typedef struct { GstElementClass parent; } LookoutClockClass;
enum { PROP_ZERO = 1 };

G_DEFINE_TYPE (LookoutClock, lookout_clock, GST_TYPE_ELEMENT)

gint64 lookout_monotonic_of_rtp (guint32 timestamp) {
  gint64 now = g_get_monotonic_time () * 9 / 100;
  return (now + (gint32) (timestamp - (guint32) now)) * 100000 / 9;
}

gboolean lookout_clock_read (GstElement *element, gint64 *zero, GstClockTime *first) {
  LookoutClock *self = (LookoutClock *) element;
  g_mutex_lock (&self->lock);
  gboolean known = self->known;
  *zero = self->zero;
  *first = self->first;
  g_mutex_unlock (&self->lock);
  return known;
}

void lookout_clock_begin (GstElement *element, GstClockTime first) {
  LookoutClock *self = (LookoutClock *) element;
  g_mutex_lock (&self->lock);
  if (!GST_CLOCK_TIME_IS_VALID (self->first)) self->first = first;
  g_mutex_unlock (&self->lock);
}

gboolean lookout_clock_beside (GstObject *element, GstElement **clock) {
  GstObject *bin = gst_object_get_parent (element);
  *clock = bin != NULL ? gst_bin_get_by_name (GST_BIN (bin), "clock") : NULL;
  gst_clear_object (&bin);
  return *clock == NULL || G_OBJECT_TYPE (*clock) == lookout_clock_get_type ();
}

static GstFlowReturn clock_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  (void) pad;
  LookoutClock *self = (LookoutClock *) parent;
  guint8 stamp[4];
  GstClockTime time = GST_BUFFER_PTS (buffer);
  GstClockTime running = gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME, time);
  if (GST_CLOCK_TIME_IS_VALID (running) && (!self->rtp || gst_buffer_extract (buffer, 4, stamp, 4) == 4)) {
    g_mutex_lock (&self->lock);
    self->zero = (self->rtp ? lookout_monotonic_of_rtp (GST_READ_UINT32_BE (stamp)) : (gint64) time) - (gint64) running;
    self->known = TRUE;
    g_mutex_unlock (&self->lock);
  }
  return gst_pad_push (self->source, buffer);
}

static gboolean clock_event (GstPad *pad, GstObject *parent, GstEvent *event) {
  LookoutClock *self = (LookoutClock *) parent;
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) gst_event_copy_segment (event, &self->segment);
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    GstCaps *caps = NULL;
    gst_event_parse_caps (event, &caps);
    self->rtp = gst_structure_has_name (gst_caps_get_structure (caps, 0), "application/x-rtp");
  }
  return gst_pad_event_default (pad, parent, event);
}

/* As text: what reads it has no integers of 64 bits. */
static void clock_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec) {
  gint64 zero;
  GstClockTime first;
  if (id != PROP_ZERO) G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
  else if (lookout_clock_read (GST_ELEMENT (object), &zero, &first)) g_value_take_string (value, g_strdup_printf ("%" G_GINT64_FORMAT, zero));
  else g_value_set_string (value, "");
}

static void clock_finalize (GObject *object) {
  g_mutex_clear (&((LookoutClock *) object)->lock);
  G_OBJECT_CLASS (lookout_clock_parent_class)->finalize (object);
}

static void lookout_clock_class_init (LookoutClockClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  object->get_property = clock_get_property;
  object->finalize = clock_finalize;
  g_object_class_install_property (object, PROP_ZERO, g_param_spec_string ("zero", "Zero", "CLOCK_MONOTONIC in ns when the running time was 0, empty before the first buffer", "", G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (element, "Hub clock", "Generic", "Learns when the running time of a hub's reader began", "Lookout");
  lookout_pad_templates (element);
}

static void lookout_clock_init (LookoutClock *self) {
  self->first = GST_CLOCK_TIME_NONE;
  g_mutex_init (&self->lock);
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  lookout_add_pads (GST_ELEMENT (self), &self->source, clock_chain, clock_event);
}
