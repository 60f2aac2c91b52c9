import { Loading } from "../ui";

export function ChartsPage() {
	return <Loading />;
}
