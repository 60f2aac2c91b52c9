import { Loading } from "../ui";

export function LogPage() {
	return <Loading />;
}
