#include "admin/doctor.h"

#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>

/* What another node says of itself, and a status, of which traffic's part quotes strangers:
 * whatever it is, there is a verdict and a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *said = json_loadb((const char *)data, size, 0, NULL), *own, *united;
	struct doctor_other other = { "edge-a", "edge", said, NULL, NULL };
	char *text;

	if (!said)
		return 0;
	json_decref(doctor_plan(said));
	own = doctor_look(&(struct doctor_sight){ said, said, "1.0" });
	united = doctor_unite(own, &other, 1, 0);
	text = doctor_text(united);
	if (!json_is_string(json_object_get(united, "verdict")) || !*text)
		abort();
	free(text);
	json_decref(united);
	json_decref(own);
	json_decref(said);
	return 0;
}
