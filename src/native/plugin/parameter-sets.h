/* Parameter sets of H.264 that a picture needs. */
#ifndef LOOKOUT_PARAMETER_SETS_H
#define LOOKOUT_PARAMETER_SETS_H
#include <glib.h>

/* Whether there is more than one sequence parameter set. */
gboolean parameter_sets_differ (GBytes *sets);

/* Of these sets, which are behind 32-bit lengths, those that the slices of an access unit refer to, with all picture sets of their sequence sets; a new reference, to all of them where that cannot be told. */
GBytes *parameter_sets_in_use (GBytes *sets, const guint8 *data, gsize size, guint length_size);

#endif
