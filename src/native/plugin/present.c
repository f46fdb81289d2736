/*
 * lookoutpresent: stands behind the decoder of a transcode. A hub begins with its latest keyframe, so a reader decodes a
 * GOP at once to get to the present: that past is dropped, since a browser would play it at its pace and stay as far
 * behind. What passes is stamped with CLOCK_MONOTONIC, which `lookoutclock` knows, counted from `base`: RTP then goes on
 * over every process that ever fed the same ingest.
 */
#include "clock.h"

/* A frame this young is of the present where nothing else is asked for; a machine that has not got there after so long is taken as it is. */
#define PRESENT_MS 300
#define CATCH_UP_MS 3000
/* So much older than the first ones a frame may be: an encoder that is slower than the camera gets fewer. */
#define SLACK_MS 500

typedef struct {
  GstElement parent;
  GstPad *source;
  GstElement *clock;
  guint64 base;
  guint young_ms;
  GstSegment segment;
  gint64 first_ms, usual_ms, last;
  gboolean present;
  guint64 frames, late; /* guarded by the object's lock, as what follows */
  gint64 behind_ms;
} LookoutPresent;
typedef struct { GstElementClass parent; } LookoutPresentClass;
enum { PROP_BASE = 1, PROP_YOUNG, PROP_STATS };

G_DEFINE_TYPE (LookoutPresent, lookout_present, GST_TYPE_ELEMENT)

static gboolean is_present (LookoutPresent *self, gint64 now_ms, gint64 age_ms) {
  if (self->first_ms == 0) self->first_ms = now_ms;
  if (!self->present && (age_ms < self->young_ms || now_ms - self->first_ms > CATCH_UP_MS)) {
    self->present = TRUE;
    self->usual_ms = MAX (age_ms, self->young_ms);
  }
  return self->present && age_ms <= self->usual_ms + SLACK_MS;
}

static GstFlowReturn present_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  (void) pad;
  LookoutPresent *self = (LookoutPresent *) parent;
  gint64 zero, now = g_get_monotonic_time () * 1000;
  GstClockTime first, running = gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  gboolean timed = self->clock != NULL && GST_CLOCK_TIME_IS_VALID (running) && lookout_clock_read (self->clock, &zero, &first);
  gint64 at = timed ? zero + (gint64) running : now;
  gboolean passes = is_present (self, now / 1000000, (now - at) / 1000000) && at > self->last && at >= (gint64) self->base;
  GST_OBJECT_LOCK (self);
  if (passes) self->frames += 1;
  else self->late += 1;
  self->behind_ms = (now - at) / 1000000;
  GST_OBJECT_UNLOCK (self);
  if (!passes) {
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  self->last = at;
  buffer = gst_buffer_make_writable (buffer);
  GST_BUFFER_PTS (buffer) = at - (gint64) self->base;
  GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
  return gst_pad_push (self->source, buffer);
}

static gboolean present_event (GstPad *pad, GstObject *parent, GstEvent *event) {
  LookoutPresent *self = (LookoutPresent *) parent;
  if (GST_EVENT_TYPE (event) != GST_EVENT_SEGMENT) return gst_pad_event_default (pad, parent, event);
  gst_event_copy_segment (event, &self->segment);
  gst_event_unref (event);
  GstSegment ours;
  gst_segment_init (&ours, GST_FORMAT_TIME);
  return gst_pad_push_event (self->source, gst_event_new_segment (&ours));
}

static GstStateChangeReturn present_change_state (GstElement *element, GstStateChange transition) {
  LookoutPresent *self = (LookoutPresent *) element;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !lookout_clock_beside (GST_OBJECT (self), &self->clock)) return GST_STATE_CHANGE_FAILURE;
  GstStateChangeReturn changed = GST_ELEMENT_CLASS (lookout_present_parent_class)->change_state (element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) gst_clear_object (&self->clock);
  return changed;
}

static void present_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec) {
  LookoutPresent *self = (LookoutPresent *) object;
  if (id == PROP_BASE) g_value_set_uint64 (value, self->base);
  else if (id == PROP_YOUNG) g_value_set_uint (value, self->young_ms);
  else if (id == PROP_STATS) {
    GST_OBJECT_LOCK (self);
    g_value_take_boxed (value, gst_structure_new ("stats", "frames", G_TYPE_UINT64, self->frames, "late", G_TYPE_UINT64, self->late, "behind", G_TYPE_INT64, self->behind_ms, NULL));
    GST_OBJECT_UNLOCK (self);
  } else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void present_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  LookoutPresent *self = (LookoutPresent *) object;
  if (id == PROP_BASE) self->base = g_value_get_uint64 (value);
  else if (id == PROP_YOUNG) self->young_ms = g_value_get_uint (value);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void lookout_present_class_init (LookoutPresentClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  object->get_property = present_get_property;
  object->set_property = present_set_property;
  element->change_state = present_change_state;
  g_object_class_install_property (object, PROP_BASE, g_param_spec_uint64 ("base", "Base", "What CLOCK_MONOTONIC says at the time 0 of what leaves, ns", 0, G_MAXINT64, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_YOUNG, g_param_spec_uint ("young-ms", "Young", "The first frame that passes is younger than this, ms", 1, G_MAXINT32, PRESENT_MS, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_STATS, g_param_spec_boxed ("stats", "Statistics", "Frames that passed and that were late, and how old the newest was, ms", GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (element, "Present", "Filter/Video", "Drops frames of the past", "Lookout");
  lookout_pad_templates (element);
}

static void lookout_present_init (LookoutPresent *self) {
  gst_segment_init (&self->segment, GST_FORMAT_UNDEFINED);
  self->last = -1;
  self->young_ms = PRESENT_MS;
  lookout_add_pads (GST_ELEMENT (self), &self->source, present_chain, present_event);
}
