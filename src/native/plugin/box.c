/*
 * lookoutbox: stands first in the description of a source and has no pads. What is made after it notes in the file that it
 * has open (`fd`): a host may run several sources, each with a box of its own, and rtspsrc makes its extensions by itself,
 * outside of every bin, so that nothing but the order tells whose they are. `fd=-1` closes it, once the pipeline is at NULL.
 */
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include "box.h"

typedef struct { GstElement parent; gint fd; Notes *notes; } LookoutBox;
typedef struct { GstElementClass parent; } LookoutBoxClass;
enum { PROP_FD = 1 };

G_DEFINE_TYPE (LookoutBox, lookout_box, GST_TYPE_ELEMENT)

/* Of pipelines without a `lookoutbox`. */
static Notes nowhere;
static Notes *current = &nowhere;

Notes *lookout_notes (void) {
  return current;
}

static guint64 now_ms (void) {
  struct timespec now;
  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

guint32 lookout_box_now (const Box *box) {
  return now_ms () - box->started_ms;
}

void lookout_notes_frame (Notes *notes, gboolean keyframe) {
  if (keyframe) __atomic_fetch_add (&notes->keyframes, 1, __ATOMIC_RELEASE);
  if (notes->box == NULL) return;
  Counters *counters = &notes->box->counters;
  if (keyframe) {
    counters->keyframe_at = lookout_box_now (notes->box);
    counters->keyframes += 1;
  }
  counters->frames += 1;
}

static void close_box (LookoutBox *self) {
  if (self->notes == NULL) return;
  if (current == self->notes) current = &nowhere;
  if (self->notes->box != NULL) munmap (self->notes->box, BOX_BYTES);
  self->notes->box = NULL;
  self->notes = NULL;
}

static void open_box (LookoutBox *self) {
  void *memory = mmap (NULL, BOX_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
  self->notes = g_new0 (Notes, 1);
  current = self->notes;
  if (memory == MAP_FAILED) return;
  Box *box = memory;
  box->started_ms = now_ms ();
  memcpy (box->magic, "LKFLGHT2", 8);
  self->notes->box = box;
}

static void box_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec) {
  LookoutBox *self = (LookoutBox *) object;
  if (id != PROP_FD) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    return;
  }
  close_box (self);
  self->fd = g_value_get_int (value);
  if (self->fd >= 0) open_box (self);
}

static void box_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec) {
  if (id == PROP_FD) g_value_set_int (value, ((LookoutBox *) object)->fd);
  else G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
}

static void lookout_box_class_init (LookoutBoxClass *class) {
  GObjectClass *object = G_OBJECT_CLASS (class);
  object->get_property = box_get_property;
  object->set_property = box_set_property;
  g_object_class_install_property (object, PROP_FD, g_param_spec_int ("fd", "Descriptor", "The open file to note in, -1 for none", -1, G_MAXINT, -1, G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS));
  gst_element_class_set_static_metadata (GST_ELEMENT_CLASS (class), "Flight box", "Generic", "Where the elements made after it note what they see", "Lookout");
}

static void lookout_box_init (LookoutBox *self) {
  self->fd = -1;
}
