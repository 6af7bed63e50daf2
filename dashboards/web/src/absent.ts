/** Stands in for what these pages never show: a code editor, maps; and for fonts that a Grafana server would have. */
const nothing = () => null;
export { nothing as getFontStyles, nothing as OpenLayersProvider, nothing as ReactMonacoEditor, nothing as ReactMonacoEditorLazy };
export default nothing;
