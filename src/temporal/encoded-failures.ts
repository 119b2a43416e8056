import { DefaultFailureConverter, type FailureConverter } from '@temporalio/common';

/**
 * Puts the messages and stacks of failures into payloads, which the codec encrypts. It is part of a workflow
 * bundle of its own, since without keys the Temporal UI is to show them unencrypted.
 */
class EncodedFailureConverter extends DefaultFailureConverter {
  /**
   * Returns a copy, since the base class replaces the message in the result, which the error itself may keep.
   */
  override errorToFailureInner(...args: Parameters<FailureConverter['errorToFailure']>) {
    return { ...super.errorToFailureInner(...args) };
  }
}

/** The SDK looks for an export with this name. */
export const failureConverter = new EncodedFailureConverter({ encodeCommonAttributes: true });
