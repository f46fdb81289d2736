/*
 * Lookout's GStreamer plugin, for what gstreamer-superficial has no way to do (no probes, no signals) and what no element
 * of GStreamer does for next to nothing (docs/decisions.md):
 *
 *   lookoutbox        opens the file that a source's other elements note in
 *   lookoutflight     stands where RTP passes, counts it and notes every header
 *   lookoutdialogue   an extension of rtspsrc (GstRTSPExtension): rtspsrc makes one by itself and shows it its dialogue
 *   lookoutrest       keeps packets while nobody reads, so that no depayloader works for nobody
 *   lookoutcount      stands where access units pass, counts frames and keyframes and notes the parameter sets
 *   lookouttimes      in an output: counts access units and mends their times
 *   lookouthub        a sink that keeps the latest GOP and serves it to outputs; sound in another one, beside it
 *   lookoutframes     a sink that serves raw frames to programs
 *   lookoutclock      in an output: learns the time line of the hub's video
 *   lookoutsound      in an output: reads a hub of sound along that time line
 *   lookoutpresent    in a transcode: drops decoded frames of the past, stamps the others on that time line
 */
#include "box.h"

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS_ANY);

void lookout_pad_templates (GstElementClass *element) {
  gst_element_class_add_static_pad_template (element, &sink_template);
  gst_element_class_add_static_pad_template (element, &src_template);
}

/* Pads of our own instead of GstBaseTransform: that asks about caps, allocation and quality of service for each buffer. */
GstPad *lookout_add_pads (GstElement *element, GstPad **source, GstPadChainFunction chain, GstPadEventFunction event) {
  GstPad *sink = gst_pad_new_from_static_template (&sink_template, "sink");
  gst_pad_set_chain_function (sink, chain);
  if (event != NULL) gst_pad_set_event_function (sink, event);
  *source = gst_pad_new_from_static_template (&src_template, "src");
  for (int i = 0; i < 2; i += 1) {
    GstPad *pad = i == 0 ? sink : *source;
    GST_PAD_SET_PROXY_CAPS (pad);
    GST_PAD_SET_PROXY_ALLOCATION (pad);
    GST_PAD_SET_PROXY_SCHEDULING (pad);
    gst_element_add_pad (element, pad);
  }
  return sink;
}

static gboolean plugin_init (GstPlugin *plugin) {
  return gst_element_register (plugin, "lookoutbox", GST_RANK_NONE, lookout_box_get_type ())
      && gst_element_register (plugin, "lookoutflight", GST_RANK_NONE, lookout_flight_get_type ())
      && gst_element_register (plugin, "lookoutdialogue", GST_RANK_MARGINAL, lookout_dialogue_get_type ())
      && gst_element_register (plugin, "lookoutrest", GST_RANK_NONE, lookout_rest_get_type ())
      && gst_element_register (plugin, "lookoutcount", GST_RANK_NONE, lookout_count_get_type ())
      && gst_element_register (plugin, "lookouttimes", GST_RANK_NONE, lookout_times_get_type ())
      && gst_element_register (plugin, "lookouthub", GST_RANK_NONE, lookout_hub_get_type ())
      && gst_element_register (plugin, "lookoutframes", GST_RANK_NONE, lookout_frames_get_type ())
      && gst_element_register (plugin, "lookoutclock", GST_RANK_NONE, lookout_clock_get_type ())
      && gst_element_register (plugin, "lookoutsound", GST_RANK_NONE, lookout_sound_get_type ())
      && gst_element_register (plugin, "lookoutpresent", GST_RANK_NONE, lookout_present_get_type ());
}

#define PACKAGE "lookout"
GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, lookout, "What sources of Lookout note and serve", plugin_init, "1.0", "MIT/X11", "Lookout", "https://github.com")
