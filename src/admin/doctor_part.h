/*
 * `sallyport doctor`, as a part of the desk (admin/desk.h): looks at this node, on a core asks
 * those on the other ends of its tunnels to look at themselves, and answers with all together
 * (admin/doctor.h). REPLY_FAILED: it could not look; whether something is wrong the findings say.
 * Answers within DOCTOR_ALL_MS, whatever hangs; what did not answer is said.
 */
#ifndef ADMIN_DOCTOR_PART_H
#define ADMIN_DOCTOR_PART_H

#include "admin/desk.h"
#include "net/dns.h"
#include "provision/tunnels.h"

#define DOCTOR_ALL_MS 28000
#define DOCTOR_NODE_MS 24000 /* for another node, which may take as long as we, and its tunnel */
#define DOCTOR_AT_ONCE 4     /* people; more are told to wait */

struct doctor;

struct doctor_config {
	struct loop *loop;
	struct desk *desk;	 /* all lent */
	struct dns *dns;	 /* what is looked up */
	struct tunnels *tunnels; /* who is asked */
	const char *release;
};

/* Registers itself at the desk. */
struct doctor *doctor_create(const struct doctor_config *config);
/* Those who wait are not answered any more. Before the tunnels go. */
void doctor_destroy(struct doctor **doctor);

#endif
