/*
 * Pairings under way: the code that is out, who came with it, and whom we dial with one. Drives
 * pairing.h over SSH and asks control to pin, and to take it back when the other side does not.
 *
 * One code is out at a time. It is void when a pairing came to its end, when its time is over, when
 * five passwords were wrong, and when another is made.
 */
#ifndef PROVISION_MEETINGS_H
#define PROVISION_MEETINGS_H

#include "provision/tunnel.h"

#define MEETINGS_MAX 8	 /* of both sides; each costs a connection and a minute of people */
#define MEETING_MS 60000 /* control has 10 s for each of up to five questions */
#define MEETING_CODE_FAILURES 5
#define MEETING_USER "pairing"

struct meetings;

struct meetings_self { /* what we are to the other; lent while meetings live */
	char link_pin[SSH_PIN_LEN + 1];
	char axl_pin[SSH_PIN_LEN + 1]; /* empty: no AXL service here */
};

struct meetings *meetings_create(const struct tunnel_shared *shared,
				 const struct meetings_self *self);
void meetings_destroy(struct meetings **meetings);

/* A code is out from now on; the one before is void. `link` as in pairing.h. */
void meetings_issue(struct meetings *meetings, const char *address, const char *link,
		    unsigned axl_port, unsigned seconds, char text[]);
bool meetings_take_passwords(const struct meetings *meetings);
bool meetings_know_password(struct meetings *meetings, const char *user, const char *password);
void meetings_accept(struct meetings *meetings, struct ssh_tunnel *ssh, const char *from);

void meetings_join(struct meetings *meetings, const char *code, uint64_t session,
		   tunnels_joined_fn *joined, void *arg);
/* Whether the settings have that node, for what is said when it is paired again. */
typedef bool meetings_known_fn(void *arg, const char *node);
void meetings_set_known(struct meetings *meetings, meetings_known_fn *known, void *arg);

#endif
