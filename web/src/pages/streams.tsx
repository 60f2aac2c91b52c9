import { Loading } from "../ui";

export function StreamsPage() {
	return <Loading />;
}
