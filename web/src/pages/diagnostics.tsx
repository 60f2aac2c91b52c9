import { Loading } from "../ui";

export function DiagnosticsPage() {
	return <Loading />;
}
