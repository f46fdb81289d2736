/*
 * lookoutonly: a capsfilter for pads that come later (`caps`: what may be linked to it) that does nothing for a buffer. Stock
 * capsfilter asks about caps and quality of service for each of them, and sources have one in front of every packet.
 */
#include "box.h"

typedef struct { GstElement parent; GstPad *source; GstCaps *caps; } LookoutOnly;
typedef struct { GstElementClass parent; } LookoutOnlyClass;
enum { PROP_CAPS = 1 };

G_DEFINE_TYPE (LookoutOnly, lookout_only, GST_TYPE_ELEMENT)

static GstFlowReturn only_chain (GstPad *pad, GstObject *parent, GstBuffer *buffer) {
  (void) pad;
  return gst_pad_push (((LookoutOnly *) parent)->source, buffer);
}

static gboolean only_query (GstPad *pad, GstObject *parent, GstQuery *query) {
  LookoutOnly *self = (LookoutOnly *) parent;
  if (GST_QUERY_TYPE (query) == GST_QUERY_CAPS) {
    GstCaps *filter = NULL;
    gst_query_parse_caps (query, &filter);
    GstCaps *both = filter != NULL ? gst_caps_intersect_full (filter, self->caps, GST_CAPS_INTERSECT_FIRST) : gst_caps_ref (self->caps);
    gst_query_set_caps_result (query, both);
    gst_caps_unref (both);
    return TRUE;
  }
  if (GST_QUERY_TYPE (query) == GST_QUERY_ACCEPT_CAPS) {
    GstCaps *offered = NULL;
    gst_query_parse_accept_caps (query, &offered);
    gst_query_set_accept_caps_result (query, gst_caps_can_intersect (offered, self->caps));
    return TRUE;
  }
  return gst_pad_query_default (pad, parent, query);
}

static void only_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  if (id == PROP_CAPS && gst_value_get_caps (value) != NULL) gst_caps_replace (&((LookoutOnly *) object)->caps, (GstCaps *) gst_value_get_caps (value));
  else if (id != PROP_CAPS) G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void only_finalize (GObject *object) {
  gst_caps_replace (&((LookoutOnly *) object)->caps, NULL);
  G_OBJECT_CLASS (lookout_only_parent_class)->finalize (object);
}

static void lookout_only_class_init (LookoutOnlyClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  object->set_property = only_set_property;
  object->finalize = only_finalize;
  g_object_class_install_property (object, PROP_CAPS, g_param_spec_boxed ("caps", "Caps", "What may be linked to it", GST_TYPE_CAPS, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (element, "Caps filter for pads", "Filter", "Is linked only to pads of its caps", "Lookout");
  lookout_pad_templates (element);
}

static void lookout_only_init (LookoutOnly *self) {
  self->caps = gst_caps_new_any ();
  lookout_add_pads (GST_ELEMENT (self), &self->source, only_chain, NULL);
  GstPad *sink = gst_element_get_static_pad (GST_ELEMENT (self), "sink");
  gst_pad_set_query_function (sink, only_query);
  gst_object_unref (sink);
}
