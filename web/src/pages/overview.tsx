import { Loading } from "../ui";

export function OverviewPage() {
	return <Loading />;
}
