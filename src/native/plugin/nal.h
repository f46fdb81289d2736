/* NAL units, each behind its length. */
#ifndef LOOKOUT_NAL_H
#define LOOKOUT_NAL_H
#include <glib.h>

/* The next NAL unit behind a length of `length_size` bytes, empty ones left out; FALSE at the end, or where the length lies. */
gboolean nal_next (const guint8 *data, gsize size, gsize *at, guint length_size, const guint8 **nal, gsize *length);

#endif
