import { Loading } from "../ui";

export function DomainsPage() {
	return <Loading />;
}
