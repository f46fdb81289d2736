/* lookoutdialogue: an extension of rtspsrc, which makes one by itself and shows it every RTSP message. Its log costs half of what the source does. */
#include <string.h>
#include <gst/rtsp/gstrtspextension.h>
#include "box.h"

typedef struct { GstElement parent; Notes *notes; } LookoutDialogue;
typedef struct { GstElementClass parent; } LookoutDialogueClass;

static void dialogue_extension (gpointer interface, gpointer data);
G_DEFINE_TYPE_WITH_CODE (LookoutDialogue, lookout_dialogue, GST_TYPE_ELEMENT, G_IMPLEMENT_INTERFACE (GST_TYPE_RTSP_EXTENSION, dialogue_extension))

/* Up to the answer to PLAY messages stay for good, as far as they fit; later ones overwrite each other. */
static void keep (Notes *notes, const GString *text, gboolean received) {
  Box *box = notes->box;
  guint32 at = lookout_box_now (box);
  g_mutex_lock (&notes->lock);
  Message *message;
  gsize room;
  gsize left = START_BYTES - box->start_bytes;
  if (!box->playing && left > sizeof (Message)) {
    message = (Message *) (box->start + box->start_bytes);
    room = left - sizeof (Message);
  } else {
    message = (Message *) box->later[notes->laters++ % LATER_SLOTS];
    room = LATER_BYTES - sizeof (Message);
  }
  message->at = at;
  message->received = received;
  message->length = MIN (text->len, room);
  memcpy (message->text, text->str, message->length);
  message->serial = ++box->messages;
  if ((guint8 *) message < box->start + START_BYTES) box->start_bytes += MIN (left, (sizeof (Message) + message->length + 3) & ~(gsize) 3);
  if (!received) notes->play_asked = g_str_has_prefix (text->str, "PLAY ");
  else if (notes->play_asked && g_str_has_prefix (text->str, "RTSP/1.0 200")) box->playing = 1;
  g_mutex_unlock (&notes->lock);
}

static void note_message (GstRTSPExtension *extension, GstRTSPMessage *message, gboolean received) {
  Notes *notes = ((LookoutDialogue *) extension)->notes;
  if (notes->box == NULL) return;
  GString *text = g_string_new (NULL);
  if (message->type == GST_RTSP_MESSAGE_REQUEST) g_string_append_printf (text, "%s %s RTSP/1.0\r\n", gst_rtsp_method_as_text (message->type_data.request.method), message->type_data.request.uri);
  else g_string_append_printf (text, "RTSP/1.0 %d %s\r\n", message->type_data.response.code, message->type_data.response.reason ? message->type_data.response.reason : "");
  gst_rtsp_message_append_headers (message, text);
  g_string_append (text, "\r\n");
  guint8 *body = NULL;
  guint size = 0;
  /* rtspsrc counts a terminating zero to the body. */
  if (gst_rtsp_message_get_body (message, &body, &size) == GST_RTSP_OK && body != NULL) g_string_append_len (text, (char *) body, strnlen ((char *) body, size));
  keep (notes, text, received);
  g_string_free (text, TRUE);
}

static GstRTSPResult dialogue_before_send (GstRTSPExtension *extension, GstRTSPMessage *request) {
  note_message (extension, request, FALSE);
  return GST_RTSP_OK;
}

static GstRTSPResult dialogue_after_send (GstRTSPExtension *extension, GstRTSPMessage *request, GstRTSPMessage *response) {
  (void) request;
  if (response->type == GST_RTSP_MESSAGE_RESPONSE) note_message (extension, response, TRUE);
  return GST_RTSP_OK;
}

static void dialogue_extension (gpointer interface, gpointer data) {
  GstRTSPExtensionInterface *extension = interface;
  (void) data;
  extension->before_send = dialogue_before_send;
  extension->after_send = dialogue_after_send;
}

static void lookout_dialogue_class_init (LookoutDialogueClass *class) {
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class), "Flight recorder", "Network/Extension/Protocol", "Notes the dialogue of rtspsrc", "Lookout");
}

static void lookout_dialogue_init (LookoutDialogue *self) {
  self->notes = lookout_notes ();
}
