/*
 * lookoutrest: stands before the depayloader of a source of H.264 and keeps the packets of the running GOP while nobody reads, no
 * client of the hub and no feed. Depayloader, counter and hub then cost nothing; what they would count is counted here. Whoever
 * comes gets the GOP at once: it goes through with the times of its arrival, before the hub answers or the feed opens.
 *
 * It rests from a keyframe on, when nobody has read for some seconds, and wakes by itself for what has to be seen behind it: other
 * parameter sets, other caps, the end.
 */
#include "payload.h"
#include "rest.h"

/* ms for which nobody reads before it rests: who asks for a picture now and then finds it awake. */
#define LINGER 5000

/* LOOKING: what may be the beginning of a keyframe is held back until that is known. */
typedef enum { AWAKE, LOOKING, RESTING } State;

typedef struct LookoutRest {
  GstElement parent;
  GstPad *sink, *source;
  Notes *notes;
  gint wanted;      /* how many read; atomic */
  gboolean asked;   /* one of them is who set the property */
  guint limit, linger;
  /* Guarded by the stream lock of `sink`. */
  State state;
  gint64 wanted_at; /* when somebody last read, as far as it was looked */
  GPtrArray *kept;  /* packets, and events between them */
  gsize bytes;
  guint32 timestamp, sps;
  gboolean inside;  /* a unit has begun and not ended */
  gboolean key;     /* that unit is a keyframe */
  gboolean holding; /* LOOKING: nothing of a picture came in this unit */
  gboolean begun;   /* a keyframe went through: its format is known */
  gboolean whole;   /* what is kept begins with a keyframe */
  guint unit;       /* where in `kept` that unit begins */
} LookoutRest;
typedef struct { GstElementClass parent; } LookoutRestClass;
enum { PROP_WANTED = 1, PROP_SOFT_BYTES, PROP_LINGER };

G_DEFINE_TYPE (LookoutRest, lookout_rest, GST_TYPE_ELEMENT)

/* What is told of one packet. */
typedef struct { guint32 timestamp, sps; gboolean marker, key, slice; } Look;

static gboolean look_at (GstBuffer *buffer, Look *look) {
  GstMapInfo map;
  gsize begin, end;
  if (!gst_buffer_map (buffer, &map, GST_MAP_READ)) return FALSE;
  gboolean sound = payload_bounds (map.data, map.size, &begin, &end) && end > begin;
  if (sound) {
    const guint8 *payload = map.data + begin;
    *look = (Look) { .timestamp = GST_READ_UINT32_BE (map.data + 4), .marker = map.data[1] >> 7, .key = payload_begins_keyframe (PAYLOAD_H264, payload, end - begin) };
    look->slice = payload_has_slice (payload, end - begin);
    look->sps = look->slice && !look->key ? 0 : payload_sps (payload, end - begin);
  }
  gst_buffer_unmap (buffer, &map);
  return sound;
}

static void forget (LookoutRest *self, guint count) {
  if (count == 0) return;
  for (guint i = 0; i < count; i += 1) {
    GstMiniObject *object = g_ptr_array_index (self->kept, i);
    if (GST_IS_BUFFER (object)) self->bytes -= gst_buffer_get_size (GST_BUFFER (object));
  }
  g_ptr_array_remove_range (self->kept, 0, count);
}

static void keep (LookoutRest *self, GstMiniObject *object) {
  if (GST_IS_BUFFER (object)) self->bytes += gst_buffer_get_size (GST_BUFFER (object));
  g_ptr_array_add (self->kept, object);
}

/* Lets out what is kept, in its order. */
static GstFlowReturn let_out (LookoutRest *self) {
  GstFlowReturn flow = GST_FLOW_OK;
  for (guint i = 0; i < self->kept->len; i += 1) {
    GstMiniObject *object = gst_mini_object_ref (g_ptr_array_index (self->kept, i));
    if (GST_IS_EVENT (object)) gst_pad_push_event (self->source, GST_EVENT (object));
    else if (flow == GST_FLOW_OK) flow = gst_pad_push (self->source, GST_BUFFER (object));
    else gst_mini_object_unref (object);
  }
  forget (self, self->kept->len);
  return flow;
}

/* What is not whole nobody can begin with: the depayloader goes on at the next packet, the hub at the next keyframe. */
static GstFlowReturn wake (LookoutRest *self) {
  if (self->state == AWAKE) return GST_FLOW_OK;
  gboolean counted = self->state == RESTING;
  if (counted && !self->whole) forget (self, self->kept->len);
  self->state = AWAKE;
  self->wanted_at = g_get_monotonic_time ();
  self->notes->replaying = counted;
  GstFlowReturn flow = let_out (self);
  self->notes->replaying = FALSE;
  return flow;
}

void lookout_rest_want (Notes *notes) {
  LookoutRest *self = notes->rest;
  if (self == NULL) return;
  __atomic_fetch_add (&self->wanted, 1, __ATOMIC_SEQ_CST);
  GST_PAD_STREAM_LOCK (self->sink);
  wake (self);
  GST_PAD_STREAM_UNLOCK (self->sink);
}

void lookout_rest_leave (Notes *notes) {
  if (notes->rest != NULL) __atomic_fetch_sub (&notes->rest->wanted, 1, __ATOMIC_SEQ_CST);
}

/* Whether it may look for a place to rest, with a unit that begins. */
static gboolean is_idle (LookoutRest *self) {
  gint64 now = g_get_monotonic_time ();
  if (self->wanted_at != 0 && __atomic_load_n (&self->wanted, __ATOMIC_SEQ_CST) == 0) return self->begun && now - self->wanted_at >= (gint64) self->linger * 1000;
  self->wanted_at = now;
  return FALSE;
}

static GstFlowReturn pass (LookoutRest *self, GstBuffer *buffer, const Look *look) {
  self->begun |= look->key;
  return gst_pad_push (self->source, buffer);
}

static void begin_rest (LookoutRest *self) {
  self->state = RESTING;
  self->whole = TRUE;
  self->unit = 0;
  gst_pad_push_event (self->source, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM, gst_structure_new_empty (LOOKOUT_REST_EVENT)));
}

static GstFlowReturn look_for_keyframe (LookoutRest *self, GstBuffer *buffer, const Look *look, gboolean first) {
  if (first) {
    /* A unit without a slice was none of a keyframe. What is wrong behind says so to the next packet too. */
    let_out (self);
    self->holding = TRUE;
  }
  if (!self->holding) return pass (self, buffer, look);
  keep (self, GST_MINI_OBJECT (buffer));
  if (look->key) begin_rest (self);
  else if (look->slice) {
    self->holding = FALSE;
    return let_out (self);
  }
  return GST_FLOW_OK;
}

static void rest_with (LookoutRest *self, GstBuffer *buffer, const Look *look, gboolean first) {
  if (first) {
    if (!self->whole) forget (self, self->kept->len);
    self->unit = self->kept->len;
  }
  keep (self, GST_MINI_OBJECT (buffer));
  if (look->key && !self->key) {
    forget (self, self->unit);
    self->unit = 0;
    self->whole = TRUE;
  }
  if (self->bytes <= self->limit) return;
  forget (self, self->kept->len);
  self->unit = 0;
  self->whole = FALSE;
}

static GstFlowReturn rest_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  (void) pad;
  LookoutRest *self = (LookoutRest *) parent;
  Look look;
  if (!look_at (buffer, &look)) {
    gst_buffer_unref (buffer);
    return GST_FLOW_OK;
  }
  GstFlowReturn flow = GST_FLOW_OK;
  gboolean first = !self->inside || look.timestamp != self->timestamp;
  gboolean other = look.sps != 0 && look.sps != self->sps;
  if (look.sps != 0) self->sps = look.sps;
  if (first) {
    /* A unit without a marker ends where the next begins. */
    if (self->state == RESTING && self->inside) lookout_notes_frame (self->notes, self->key);
    if (self->state == AWAKE && is_idle (self)) self->state = LOOKING;
  }
  if (self->state == LOOKING) flow = look_for_keyframe (self, buffer, &look, first);
  else if (self->state == RESTING) rest_with (self, buffer, &look, first);
  else flow = pass (self, buffer, &look);
  self->key = look.key || (self->key && !first);
  self->timestamp = look.timestamp;
  self->inside = !look.marker;
  if (self->state == RESTING && look.marker) lookout_notes_frame (self->notes, self->key);
  /* Behind it is who reads parameter sets. */
  if (other && self->state != AWAKE) return wake (self);
  return flow;
}

static gboolean rest_event (GstPad *pad, GstObject *parent, GstEvent *event) {
  LookoutRest *self = (LookoutRest *) parent;
  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP) {
    forget (self, self->kept->len);
    self->whole = self->inside = FALSE;
  } else if (GST_EVENT_IS_SERIALIZED (event) && self->state == RESTING && !GST_EVENT_IS_STICKY (event)) {
    keep (self, GST_MINI_OBJECT (event));
    return TRUE;
  } else if (GST_EVENT_IS_SERIALIZED (event)) wake (self);
  return gst_pad_event_default (pad, parent, event);
}

/* A pipeline that stopped is not freed. */
static GstStateChangeReturn rest_change_state (GstElement *element, GstStateChange change) {
  LookoutRest *self = (LookoutRest *) element;
  GstStateChangeReturn result = GST_ELEMENT_CLASS (lookout_rest_parent_class)->change_state (element, change);
  if (change != GST_STATE_CHANGE_PAUSED_TO_READY) return result;
  GST_PAD_STREAM_LOCK (self->sink);
  forget (self, self->kept->len);
  self->state = AWAKE;
  self->begun = self->inside = FALSE;
  GST_PAD_STREAM_UNLOCK (self->sink);
  return result;
}

static void rest_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  LookoutRest *self = (LookoutRest *) object;
  if (id == PROP_SOFT_BYTES) self->limit = g_value_get_uint (value);
  else if (id == PROP_LINGER) self->linger = g_value_get_uint (value);
  else if (id == PROP_WANTED && g_value_get_boolean (value) != self->asked) {
    self->asked = g_value_get_boolean (value);
    if (self->asked) lookout_rest_want (self->notes);
    else lookout_rest_leave (self->notes);
  } else if (id != PROP_WANTED) G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void rest_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec) {
  LookoutRest *self = (LookoutRest *) object;
  if (id == PROP_WANTED) g_value_set_boolean (value, self->asked);
  else if (id == PROP_SOFT_BYTES) g_value_set_uint (value, self->limit);
  else if (id == PROP_LINGER) g_value_set_uint (value, self->linger);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void rest_finalize (GObject *object) {
  LookoutRest *self = (LookoutRest *) object;
  if (self->notes->rest == self) self->notes->rest = NULL;
  g_ptr_array_unref (self->kept);
  G_OBJECT_CLASS (lookout_rest_parent_class)->finalize (object);
}

static void lookout_rest_class_init (LookoutRestClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  object->set_property = rest_set_property;
  object->get_property = rest_get_property;
  object->finalize = rest_finalize;
  element->change_state = rest_change_state;
  g_object_class_install_property (object, PROP_WANTED, g_param_spec_boolean ("wanted", "Wanted", "Somebody besides the clients of the hub reads: it does not rest", FALSE, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_SOFT_BYTES, g_param_spec_uint ("soft-bytes", "Bytes", "A GOP that is larger is not kept: who comes begins at the next keyframe", 1, G_MAXUINT32, 16 * 1024 * 1024, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  g_object_class_install_property (object, PROP_LINGER, g_param_spec_uint ("linger", "Linger", "How long nobody must have read before it rests, ms", 0, G_MAXINT, LINGER, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (element, "Rest", "Generic", "Keeps the running GOP's packets while nobody reads", "Lookout");
  lookout_pad_templates (element);
}

static void lookout_rest_init (LookoutRest *self) {
  self->sink = lookout_add_pads (GST_ELEMENT (self), &self->source, rest_chain, rest_event);
  self->notes = lookout_notes ();
  self->notes->rest = self;
  self->limit = 16 * 1024 * 1024;
  self->linger = LINGER;
  self->kept = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_mini_object_unref);
}
