/*
 * lookouttimes: stands where access units pass, counts them (`stats`, as identity does) and sees to it that each has a time
 * of its own, that a keyframe is later than all before it, and that what follows is later than its keyframe; B-frames stay
 * in their order. What breaks this comes from a camera whose clock goes back, or from an access unit that a parser had to
 * cut in two. What its parser does not take for a keyframe begins nothing, though its hub did, nor what only its parser takes for one
 * (`random-access.c`); what is left of a unit that held nothing but parameter sets is no frame. matroskamux 1.22 would write a time of 2^64 ns less, and a file that lasts 584 years. Behind a decoder it drops
 * what comes more often than `max-rate`: videorate 1.22 aborts where a stream says that it has thousands of frames a second.
 * With `decode-times` it says when each unit is to be decoded, too (`decode-times.c`).
 */
#include "box.h"
#include "clock.h"
#include "decode-times.h"
#include "random-access.h"
#include "times.h"

/* What is mended gets the next moment that no other frame can have. Two frames of a burst may be closer by their own times: one tick of RTP, or the same ms in a file. */
#define STEP GST_MSECOND
/* Of a GOP with B-frames at least this share is shown before what was decoded earlier: one in four. */
#define EARLIER_SHARE 4
/* GOPs in a row that make it believe the opposite of what it believed. */
#define AGAINST 2
/* No B-frame is that far behind what was decoded before it. */
#define REORDER (2 * GST_SECOND)

static gboolean is_kept (const Times *times, GstClockTime time) {
  for (guint i = 0; i < TIMES_KEPT; i += 1) if (GST_CLOCK_TIME_IS_VALID (times->kept[i]) && ABS (GST_CLOCK_DIFF (times->kept[i], time)) < (GstClockTimeDiff) STEP) return TRUE;
  return FALSE;
}

/* Whether B-frames could have come in this place. */
static gboolean is_reordered (const Times *times, GstClockTime time) {
  return time > times->floor && time < times->latest && times->latest - time < REORDER && !is_kept (times, time);
}

static gboolean is_possible (const Times *times, GstClockTime time, gboolean keyframe) {
  if (!GST_CLOCK_TIME_IS_VALID (time)) return FALSE;
  return time >= times->latest + STEP || (!keyframe && !times->ordered && is_reordered (times, time));
}

/* A camera says nowhere for sure whether it sends B-frames; its GOPs show it. */
static void judge_gop (Times *times) {
  gboolean ordered = times->earlier * EARLIER_SHARE < times->frames;
  if (times->gops++ == 0) times->ordered = ordered;
  else if (ordered == times->ordered) times->against = 0;
  else if (++times->against == AGAINST) {
    times->ordered = ordered;
    times->against = 0;
  }
  times->frames = times->earlier = 0;
}

GstBuffer *times_mend (Times *times, GstBuffer *buffer, gboolean keyframe, gboolean strict) {
  GstClockTime time = GST_BUFFER_PTS (buffer);
  if (!times->begun) {
    if (!GST_CLOCK_TIME_IS_VALID (time)) return buffer;
    times->begun = TRUE;
    for (guint i = 0; i < TIMES_KEPT; i += 1) times->kept[i] = GST_CLOCK_TIME_NONE;
    times->latest = times->floor = time;
  } else {
    if (keyframe) judge_gop (times);
    times->frames += 1;
    if (GST_CLOCK_TIME_IS_VALID (time) && is_reordered (times, time)) times->earlier += 1;
    if (!is_possible (times, time, keyframe)) {
      time = times->latest + STEP;
      buffer = gst_buffer_make_writable (buffer);
      GST_BUFFER_PTS (buffer) = time;
      GST_BUFFER_DTS (buffer) = GST_CLOCK_TIME_NONE;
    }
  }
  if (keyframe) times->floor = strict ? time : times->latest;
  if (time > times->latest) times->latest = time;
  times->kept[times->at++ % TIMES_KEPT] = time;
  return buffer;
}

typedef struct { GstElement parent; GstPad *source; guint64 frames; gboolean begun; Times times; guint max_rate; GstClockTime due; gboolean decoding; DecodeTimes decode; RandomAccess access; GstSegment segment; } LookoutTimes;
typedef struct { GstElementClass parent; } LookoutTimesClass;
enum { PROP_STATS = 1, PROP_MAX_RATE, PROP_DECODE_TIMES };

G_DEFINE_TYPE (LookoutTimes, lookout_times, GST_TYPE_ELEMENT)

/* Whether a frame comes too early for `max-rate`; a quarter of an interval is borne. */
static gboolean is_early (LookoutTimes *self, GstClockTime time) {
  GstClockTime interval = GST_SECOND / self->max_rate;
  if (GST_CLOCK_TIME_IS_VALID (self->due) && time + interval / 4 < self->due) return TRUE;
  self->due = (GST_CLOCK_TIME_IS_VALID (self->due) && time < self->due + interval ? self->due : time) + interval;
  return FALSE;
}

/* The sound of the same reader begins with the video. */
static void tell_clock (LookoutTimes *self, GstClockTime time) {
  GstElement *clock;
  GstClockTime running = gst_segment_to_running_time (&self->segment, GST_FORMAT_TIME, time);
  if (lookout_clock_beside (GST_OBJECT (self), &clock) && clock != NULL) lookout_clock_begin (clock, GST_CLOCK_TIME_IS_VALID (running) ? running : 0);
  gst_clear_object (&clock);
}

static GstFlowReturn times_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  (void) pad;
  LookoutTimes *self = (LookoutTimes *) parent;
  gboolean parsed = !GST_BUFFER_FLAG_IS_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (gst_buffer_get_size (buffer) == 0) {
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  GST_OBJECT_LOCK (self);
  self->frames += 1;
  GST_OBJECT_UNLOCK (self);
  gboolean keyframe = random_access_begins (&self->access, buffer, parsed);
  if (parsed && !keyframe) {
    buffer = gst_buffer_make_writable (buffer);
    GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  }
  if (!self->begun && keyframe) tell_clock (self, GST_BUFFER_PTS (buffer));
  self->begun |= keyframe;
  if (!self->begun) {
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  buffer = times_mend (&self->times, buffer, keyframe, TRUE);
  if (self->decoding) return decode_times_push (&self->decode, buffer, keyframe, self->source);
  if (self->max_rate == 0 || !GST_BUFFER_PTS_IS_VALID (buffer) || !is_early (self, GST_BUFFER_PTS (buffer))) return gst_pad_push (self->source, buffer);
  gst_buffer_unref (buffer);
  return GST_FLOW_OK;
}

/* Whatever stands behind units in the stream does so when they are gone. */
static gboolean times_event (GstPad *pad, GstObject *parent, GstEvent *event) {
  LookoutTimes *self = (LookoutTimes *) parent;
  if (GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) gst_event_copy_segment (event, &self->segment);
  if (GST_EVENT_TYPE (event) == GST_EVENT_CAPS) {
    GstCaps *caps;
    gst_event_parse_caps (event, &caps);
    random_access_caps (&self->access, caps);
  }
  if (GST_EVENT_IS_SERIALIZED (event) && GST_EVENT_TYPE (event) != GST_EVENT_FLUSH_STOP) decode_times_flush (&self->decode, self->source);
  return gst_pad_event_default (pad, parent, event);
}

static void times_finalize (GObject *object) {
  decode_times_clear (&((LookoutTimes *) object)->decode);
  G_OBJECT_CLASS (lookout_times_parent_class)->finalize (object);
}

static void times_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  if (id == PROP_MAX_RATE) ((LookoutTimes *) object)->max_rate = g_value_get_uint (value);
  else if (id == PROP_DECODE_TIMES) ((LookoutTimes *) object)->decoding = g_value_get_boolean (value);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void times_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec) {
  LookoutTimes *self = (LookoutTimes *) object;
  if (id == PROP_STATS) {
    GST_OBJECT_LOCK (self);
    g_value_take_boxed (value, gst_structure_new ("stats", "num-buffers", G_TYPE_UINT64, self->frames, NULL));
    GST_OBJECT_UNLOCK (self);
  } else if (id == PROP_MAX_RATE) g_value_set_uint (value, self->max_rate);
  else if (id == PROP_DECODE_TIMES) g_value_set_boolean (value, self->decoding);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void lookout_times_class_init (LookoutTimesClass *class) {
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  GObjectClass *object = G_OBJECT_CLASS (class);
  object->get_property = times_get_property;
  object->set_property = times_set_property;
  object->finalize = times_finalize;
  g_object_class_install_property (object, PROP_STATS, g_param_spec_boxed ("stats", "Statistics", "Units that came", GST_TYPE_STRUCTURE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_MAX_RATE, g_param_spec_uint ("max-rate", "Rate", "Units a second that pass at most, 0 for all; only for units that stand alone", 0, 1000, 0, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_DECODE_TIMES, g_param_spec_boolean ("decode-times", "Decode times", "Each unit says when it is to be decoded", FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (element, "Times", "Generic", "Mends presentation times that cannot be", "Lookout");
  lookout_pad_templates (element);
}

static void lookout_times_init (LookoutTimes *self) {
  self->due = GST_CLOCK_TIME_NONE;
  gst_segment_init (&self->segment, GST_FORMAT_TIME);
  decode_times_init (&self->decode);
  lookout_add_pads (GST_ELEMENT (self), &self->source, times_chain, times_event);
}
