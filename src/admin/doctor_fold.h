/* Findings that only follow from others are listed with these, see doctor.h. */
#ifndef ADMIN_DOCTOR_FOLD_H
#define ADMIN_DOCTOR_FOLD_H

#include <jansson.h>

/* A list of findings of one or of all nodes; what remains is in its order. */
void doctor_fold(json_t *findings);

#endif
