/* NAL units as MP4 and Matroska keep them: each behind its length (ISO/IEC 14496-15 §5.3.2). */
#include "nal.h"

gboolean nal_next (const guint8 *data, gsize size, gsize *at, guint length_size, const guint8 **nal, gsize *length) {
  for (;;) {
    if (*at + length_size > size) return FALSE;
    gsize value = 0;
    for (guint i = 0; i < length_size; i += 1) value = value << 8 | data[*at + i];
    *at += length_size;
    if (value > size - *at) return FALSE;
    *nal = data + *at;
    *length = value;
    *at += value;
    if (value > 0) return TRUE;
  }
}
