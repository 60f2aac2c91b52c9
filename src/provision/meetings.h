/*
 * Pairings under way: who came with the code that is out, and whom we dial with one. Drives
 * pairing.h over SSH and asks control to pin, and to take it back when the other side does not.
 */
#ifndef PROVISION_MEETINGS_H
#define PROVISION_MEETINGS_H

#include "provision/issued.h"

#define MEETINGS_MAX 8	 /* of both sides; each costs a connection and a minute of people */
#define MEETING_MS 60000 /* control has 10 s for each of up to five questions */

struct meetings;

struct meetings_self { /* what we are to the other; lent while meetings live */
	char link_pin[SSH_PIN_LEN + 1];
	char axl_pin[SSH_PIN_LEN + 1]; /* empty: no AXL service here */
};

struct meetings *meetings_create(const struct tunnel_shared *shared,
				 const struct meetings_self *self, struct issued *issued);
void meetings_destroy(struct meetings **meetings);

void meetings_accept(struct meetings *meetings, struct ssh_tunnel *ssh, const char *from);

void meetings_join(struct meetings *meetings, const char *code, uint64_t session,
		   tunnels_joined_fn *joined, void *arg);
/* Whether the settings have that node, for what is said when it is paired again. */
typedef bool meetings_known_fn(void *arg, const char *node);
void meetings_set_known(struct meetings *meetings, meetings_known_fn *known, void *arg);

#endif
