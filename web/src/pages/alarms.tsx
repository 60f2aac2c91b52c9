import { Loading } from "../ui";

export function AlarmsPage() {
	return <Loading />;
}
