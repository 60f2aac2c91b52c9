#include "policy/majority.h"

struct slice majority(const struct slice *fingerprints, size_t count)
{
	struct slice found = { 0 };
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t same = 0;

		for (size_t k = 0; k < count; k++)
			same += slice_equals(fingerprints[k], fingerprints[i]);
		if (same > most) {
			found = fingerprints[i];
			most = same;
		}
	}
	return found;
}
