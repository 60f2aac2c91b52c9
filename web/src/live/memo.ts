/* A component that is drawn again only when `same` says that its properties are not the same. */
import { Component, h, type FunctionComponent } from "preact";

export function memo<Props extends object>(
	inner: FunctionComponent<Props>,
	same: (before: Props, now: Props) => boolean,
) {
	return class Memo extends Component<Props> {
		override shouldComponentUpdate(now: Props): boolean {
			return !same(this.props, now);
		}
		override render() {
			return h(inner, this.props);
		}
	};
}
