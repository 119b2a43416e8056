/**
 * The functions of the Temporal SDK that are used here although it exports them only from `lib/`. Any release
 * of the SDK may move or change them: when you upgrade it, compare them with @temporalio/common 1.24.0, from
 * which this was written.
 */

/** Returns the number that the operator service wants for the type of a search attribute. */
export { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes';

/** Decrypts and converts the arguments of a workflow, which the SDK's client does not hand out. */
export { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow';
